/**
 * How far a file has grown: one side reports, one side follows with `for await`. The follower sees the newest
 * number only, never a number twice, and at the end a return or the error.
 */
export class Growth implements AsyncIterable<number> {
  private state: { kind: "open" } | { kind: "ended" } | { kind: "failed"; error: unknown } = { kind: "open" };
  private wake = Promise.withResolvers<void>();

  constructor(private bytes = 0) {}

  report(bytes: number): void {
    this.bytes = bytes;
    this.signal();
  }

  end(): void {
    this.close({ kind: "ended" });
  }

  fail(error: unknown): void {
    this.close({ kind: "failed", error });
  }

  private close(state: { kind: "ended" } | { kind: "failed"; error: unknown }): void {
    if (this.state.kind !== "open") return;
    this.state = state;
    this.signal();
  }

  private signal(): void {
    this.wake.resolve();
    this.wake = Promise.withResolvers<void>();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number, void, undefined> {
    let seen = 0;
    while (true) {
      if (this.bytes > seen) {
        seen = this.bytes;
        yield seen;
      } else if (this.state.kind === "failed") {
        throw this.state.error;
      } else if (this.state.kind === "ended") {
        return;
      } else {
        await this.wake.promise;
      }
    }
  }
}
