/** Standard input line by line, for questions that follow each other. */
export class LineReader {
  private readonly parts: AsyncIterator<Uint8Array>;
  private rest = "";

  constructor(input: AsyncIterable<Uint8Array>) {
    this.parts = input[Symbol.asyncIterator]();
  }

  /** Without its end; what there was, where the input ends first, and "" behind that. */
  async next(): Promise<string> {
    while (!this.rest.includes("\n")) {
      const { done, value } = await this.parts.next();
      if (done) break;
      this.rest += Buffer.from(value).toString();
    }
    const [line = "", ...others] = this.rest.split("\n");
    this.rest = others.join("\n");
    return line.replace(/\r$/, "");
  }
}
