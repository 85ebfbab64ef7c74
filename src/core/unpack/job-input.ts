import { readSync } from "node:fs";
import { fileError } from "../content/file-error.ts";
import type { InputFile } from "./job-messages.ts";

const readBytes = 256 * 1024;

/**
 * The input of a job inside its Worker: chunks that are posted to it, or a file that may still grow. Iterate
 * once; `consumed` counts what the iterator gave out. A piece is valid until the second one after it is asked for.
 */
export class JobInput implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  #fileSize = 0;
  #complete: boolean;
  #failure: { error: unknown } | undefined;
  readonly #abort = new AbortController();
  #wake: (() => void) | undefined;
  #consumed = 0;

  constructor(
    private readonly file: InputFile | undefined,
    private readonly onConsumed: (total: number) => void,
  ) {
    this.#complete = file?.complete ?? false;
  }

  chunk(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#wake?.();
  }

  /** The first `size` bytes of the file are valid. */
  grown(size: number): void {
    this.#fileSize = Math.max(this.#fileSize, size);
    this.#wake?.();
  }

  end(): void {
    this.#complete = true;
    this.#wake?.();
  }

  /** The next read throws `error`, even if there are bytes left. */
  abort(error: unknown): void {
    this.#failure ??= { error };
    this.#abort.abort(error);
    this.#wake?.();
  }

  /** Bytes that the iterator gave out. */
  get consumed(): number {
    return this.#consumed;
  }

  /** For tasks that read no input. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  throwIfAborted(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const pieces = this.file ? this.#readFile(this.file) : this.#readChunks();
    for await (const piece of pieces) {
      yield piece;
      this.#consumed += piece.length;
      this.onConsumed(this.#consumed);
    }
  }

  async *#readChunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.throwIfAborted();
      const chunk = this.#chunks.shift();
      if (chunk) yield chunk;
      else if (this.#complete) return;
      else await this.#change();
    }
  }

  async *#readFile({ fd, path, complete }: InputFile): AsyncGenerator<Uint8Array> {
    // In turns: memory that is read into and dropped would wait for the garbage collector by the megabyte.
    let buffer = Buffer.allocUnsafeSlow(readBytes);
    let other = Buffer.allocUnsafeSlow(readBytes);
    let position = 0;
    for (;;) {
      this.throwIfAborted();
      const valid = complete ? Number.POSITIVE_INFINITY : this.#fileSize;
      const wanted = Math.min(readBytes, valid - position);
      if (wanted > 0) {
        const length = orFileError(path, () => readSync(fd, buffer, 0, wanted, position));
        if (length === 0) return; // the end, or a file shorter than promised: the parser will tell
        position += length;
        yield buffer.subarray(0, length);
        [buffer, other] = [other, buffer];
      } else if (this.#complete) return;
      else await this.#change();
    }
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}

function orFileError<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError(error, `read ${path}`);
  }
}
