import { fromErrorMessage } from "../../errors/error-message.ts";
import { type PlatformError, systemError } from "../../errors/platform-error.ts";
import { startWorker } from "../../kernel/start-worker.ts";
import type { Job } from "./job.ts";
import type { FromWorker } from "./job-messages.ts";

export interface PooledWorkerOptions {
  /** A Worker costs some MB, so it ends after this time without work. Default 5 s. */
  readonly idleMs?: number;
  /** Of the native addon; default: where kernel/addon.ts looks for it. */
  readonly addonPath?: string;
}

export interface PooledWorkerEvents {
  onRoom(): void;
  /** It ended by itself or broke down. */
  onGone(): void;
}

/** One Worker with the jobs that it has; it ends when it had none for a while. */
export class PooledWorker {
  readonly #worker: Worker;
  readonly #jobs = new Map<number, Job>();
  readonly #idleMs: number;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    options: PooledWorkerOptions,
    private readonly events: PooledWorkerEvents,
  ) {
    this.#idleMs = options.idleMs ?? 5000;
    this.#worker = startWorker("core/unpack/unpack-worker", { name: "unpack", addonPath: options.addonPath });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => this.#breakDown(event.message);
    this.#worker.addEventListener("close", () => this.#breakDown("it ended"));
  }

  get load(): number {
    return this.#jobs.size;
  }

  start(job: Job): void {
    clearTimeout(this.#idleTimer);
    this.#worker.ref();
    this.#jobs.set(job.id, job);
    job.start((message, transfer = []) => this.#worker.postMessage(message, transfer));
  }

  end(error: PlatformError): void {
    clearTimeout(this.#idleTimer);
    for (const job of this.#jobs.values()) job.fail(error);
    this.#jobs.clear();
    this.#worker.onmessage = null;
    this.#worker.onerror = null;
    this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    const job = this.#jobs.get(message.job);
    if (job === undefined) return;
    if (message.type === "progress") {
      job.consumed(message.consumed);
      return;
    }
    this.#jobs.delete(message.job);
    if (message.type === "done") job.succeed(message.result);
    else job.fail(fromErrorMessage(message.error));
    if (this.#jobs.size === 0) this.#becomeIdle();
    this.events.onRoom();
  }

  #becomeIdle(): void {
    // Neither an idle Worker nor its timer keeps the process alive.
    this.#worker.unref();
    this.#idleTimer = setTimeout(() => {
      this.events.onGone();
      this.end(systemError("the worker is idle"));
    }, this.#idleMs);
    this.#idleTimer.unref();
  }

  #breakDown(reason: string): void {
    if (this.#worker.onmessage === null) return; // ended on purpose
    this.events.onGone();
    this.end(systemError(`the unpack worker broke down: ${reason}`, { code: "worker.broken" }));
  }
}
