/**
 * Bytes between a pushing socket and one pulling reader. Above the high-water mark the source is paused,
 * so memory stays bounded when the reader is slow.
 */
export interface Flow {
  pause(): void;
  resume(): void;
}

const highWaterBytes = 256 * 1024;

export class ByteQueue implements AsyncIterable<Uint8Array> {
  private readonly chunks: Uint8Array[] = [];
  private sizeBytes = 0;
  private paused = false;
  private outcome: { readonly error: unknown } | "ended" | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private readonly flow: Flow,
    /** Called once when the reader leaves before the end. */
    private readonly onAbandon: () => void,
  ) {}

  push(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.sizeBytes += bytes.length;
    if (this.sizeBytes > highWaterBytes && !this.paused) {
      this.paused = true;
      this.flow.pause();
    }
    this.wake?.();
  }

  end(): void {
    this.outcome ??= "ended";
    this.wake?.();
  }

  /** The reader gets what came before, then the error. */
  fail(error: unknown): void {
    this.outcome ??= { error };
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.chunks.shift();
        if (chunk !== undefined) {
          this.taken(chunk.length);
          yield chunk;
        } else if (this.outcome === "ended") return;
        else if (this.outcome !== undefined) throw this.outcome.error;
        else await this.more();
      }
    } finally {
      if (this.outcome === undefined) this.onAbandon();
    }
  }

  private taken(bytes: number): void {
    this.sizeBytes -= bytes;
    if (this.paused && this.sizeBytes <= highWaterBytes / 2) {
      this.paused = false;
      this.flow.resume();
    }
  }

  private more(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = () => {
        this.wake = undefined;
        resolve();
      };
    });
  }
}
