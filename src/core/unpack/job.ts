import { closeSync, openSync } from "node:fs";
import { toErrorMessage } from "../../errors/error-message.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { fileError } from "../content/file-error.ts";
import type { LayerSource } from "./contract.ts";
import type { Task, TaskResult, ToWorker } from "./job-messages.ts";

export type PostToWorker = (message: ToWorker, transfer?: ArrayBuffer[]) => void;

export interface JobOptions {
  readonly signal: AbortSignal;
  readonly source?: LayerSource;
  readonly onProgress?: ((consumedBytes: number) => void) | undefined;
}

/** Of posted chunks that the Worker has not consumed yet. */
const maxInFlightBytes = 4 * 1024 * 1024;

/** One task with its input, from the queue to its result. */
export class Job {
  #post: PostToWorker | undefined;
  #settled = false;
  /** The caller's own error, if the job failed because of it. */
  #cause: { error: unknown } | undefined;
  #sent = 0;
  #consumed = 0;
  #wake: (() => void) | undefined;
  /** Of a source that is a file. Descriptors belong to the process: the Worker uses the number. */
  readonly #fd: number | undefined;
  readonly #onAbort = () => this.#cancel(cancelled(this.task));

  constructor(
    readonly id: number,
    private readonly task: Task,
    private readonly options: JobOptions,
    private readonly resolve: (result: TaskResult) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    // Here and now, since the file may get its final name before a Worker has time for it.
    if (options.source?.kind === "file") this.#fd = open(options.source.path);
    options.signal.addEventListener("abort", this.#onAbort);
    if (options.signal.aborted) this.#onAbort();
  }

  /** Cancelled while it waited in the queue, for example. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Gives the task to a Worker, and its input as it comes. */
  start(post: PostToWorker): void {
    this.#post = post;
    const { source } = this.options;
    const start = { type: "start", job: this.id, task: this.task } as const;
    if (source?.kind === "file" && this.#fd !== undefined)
      post({ ...start, file: { fd: this.#fd, path: source.path, complete: source.grown === undefined } });
    else post(start);
    if (source?.kind === "file" && source.grown)
      void this.#pump(source.grown, (size) => this.#announce(size));
    if (source?.kind === "chunks") void this.#pump(source.chunks, (chunk) => this.#send(chunk));
  }

  consumed(total: number): void {
    this.#consumed = total;
    this.#wake?.();
    this.options.onProgress?.(total);
  }

  succeed(result: TaskResult): void {
    if (this.#settle()) this.resolve(result);
  }

  fail(error: PlatformError): void {
    if (this.#settle()) this.reject(this.#cause ? this.#cause.error : error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.options.signal.removeEventListener("abort", this.#onAbort);
    this.#wake?.();
    return true;
  }

  /** Tells the Worker to stop; its answer settles the job. A job that never started has none to wait for. */
  #cancel(error: unknown): void {
    if (this.#settled) return;
    this.#cause ??= { error };
    if (this.#post) this.#post({ type: "abort", job: this.id, error: toErrorMessage(error) });
    else this.fail(cancelled(this.task));
  }

  async #pump<T>(items: AsyncIterable<T>, deliver: (item: T) => Promise<void> | void): Promise<void> {
    try {
      for await (const item of items) {
        if (this.#settled) return;
        await deliver(item);
      }
      this.#post?.({ type: "end", job: this.id });
    } catch (error) {
      this.#cancel(error);
    }
  }

  #announce(size: number): void {
    this.#post?.({ type: "grown", job: this.id, size });
  }

  async #send(bytes: Uint8Array): Promise<void> {
    this.#sent += bytes.length;
    const moved = movable(bytes);
    this.#post?.({ type: "chunk", job: this.id, bytes: moved }, [moved.buffer]);
    while (!this.#settled && this.#sent - this.#consumed > maxInFlightBytes) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A posted view would take the whole memory with it that it is a view of: then a copy of its own is moved. */
function movable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isWhole ? new Uint8Array(buffer) : new Uint8Array(bytes); // slice() of a Buffer would be a view again
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw fileError(error, `read ${path}`);
  }
}

const cancelled = (task: Task) => {
  const what = task.kind === "unpack" ? `unpacking layer ${task.layer}` : `${task.kind} job`;
  return new PlatformError("Cancelled", `${what} was cancelled`, { code: "unpack.cancelled" });
};
