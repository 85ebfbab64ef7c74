/** A connection on which nothing moves for so long is closed; what it uploaded stays. */
const maxSilenceMs = 300_000;

/** Destroys a stream whose other side says nothing, or takes nothing, for too long. */
export class SilenceLimit implements Disposable {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly stream: { destroy(): unknown },
    private readonly limitMs = maxSilenceMs,
  ) {
    this.restart();
  }

  /** Something moved: the time begins anew. */
  restart(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.stream.destroy(), this.limitMs);
  }

  pause(): void {
    clearTimeout(this.timer);
  }

  [Symbol.dispose](): void {
    this.pause();
  }
}
