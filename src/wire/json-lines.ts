/**
 * Streams of JSON objects as the Engine API sends them: one object a line, ended by `\n` or `\r\n`
 * (progress, events, stats).
 */
import { systemError } from "../errors/platform-error.ts";

const recordSeparator = "\u001e";

/** Push decoder; chunks may be cut anywhere, also within a UTF-8 character. */
export class JsonLinesDecoder {
  private readonly decoder = new TextDecoder();
  private rest = "";

  constructor(
    private readonly onValue: (value: unknown) => void,
    /** For values that JSON.parse does not keep exactly. */
    private readonly parse: (text: string) => unknown = JSON.parse,
  ) {}

  /** Errors: System for a line that is not JSON. */
  push(chunk: Uint8Array): void {
    const lines = (this.rest + this.decoder.decode(chunk, { stream: true })).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.take(line);
  }

  /** Call at end of the stream; a last line without a newline counts. */
  end(): void {
    const last = this.rest + this.decoder.decode();
    this.rest = "";
    this.take(last);
  }

  private take(line: string): void {
    // json-seq records (RFC 7464) begin with a record separator.
    const text = (line.startsWith(recordSeparator) ? line.slice(1) : line).trim();
    if (text === "") return;
    let value: unknown;
    try {
      value = this.parse(text);
    } catch (cause) {
      throw systemError(`not a JSON object in the engine's stream: ${text.slice(0, 80)}`, { cause });
    }
    this.onValue(value);
  }
}

/** The objects of a byte stream, one by one. */
export async function* readJsonLines(
  body: AsyncIterable<Uint8Array>,
  parse?: (text: string) => unknown,
): AsyncGenerator<unknown> {
  const ready: unknown[] = [];
  const decoder = new JsonLinesDecoder((value) => ready.push(value), parse);
  for await (const chunk of body) {
    decoder.push(chunk);
    yield* ready.splice(0);
  }
  decoder.end();
  yield* ready.splice(0);
}

/** One object with the line end that Docker's progress streams use. */
export function encodeJsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\r\n`;
}
