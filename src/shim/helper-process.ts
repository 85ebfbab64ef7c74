import type { Plan } from "../kernel/steps.ts";
import { openAttachStream } from "./attach-stream.ts";
import type { AttachOptions, AttachStream, ExitStatus, ShimProcess } from "./contract.ts";
import { failureError } from "./failure.ts";
import { closeStdinMessage, resizeMessage, signalMessage, startMessage } from "./messages.ts";
import { StepFailure } from "./shim-connection.ts";
import { socketPath } from "./shim-directory.ts";

/** What a process needs of its shim's connection. */
export interface ProcessConnection {
  readonly directory: string;
  request(write: (tag: number) => Uint8Array): Promise<Buffer>;
}

/** A process below a shim: number 0 is the container's own. */
export class HelperProcess implements ShimProcess {
  readonly exited: Promise<ExitStatus>;
  readonly #settleExit: (status: ExitStatus) => void;
  #plan: Plan | undefined;

  constructor(
    private readonly shim: ProcessConnection,
    private readonly number: number,
    readonly pid: number,
    plan: Plan | undefined,
  ) {
    this.#plan = plan;
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    this.exited = promise;
    this.#settleExit = resolve;
  }

  async start(): Promise<{ startedAtNs: bigint }> {
    try {
      const answer = await this.shim.request((tag) => startMessage(tag, this.number));
      return { startedAtNs: answer.readBigUInt64LE(0) };
    } catch (error) {
      throw error instanceof StepFailure ? failureError(this.#plan, error.failure) : error;
    } finally {
      this.#plan = undefined; // no step can fail any more
    }
  }

  attach(options: AttachOptions): Promise<AttachStream> {
    return openAttachStream(socketPath(this.shim.directory), this.number, options);
  }

  async signal(signal: number): Promise<void> {
    await this.shim.request((tag) => signalMessage(tag, this.number, signal));
  }

  async resize(rows: number, columns: number): Promise<void> {
    await this.shim.request((tag) => resizeMessage(tag, this.number, rows, columns));
  }

  async closeStdin(): Promise<void> {
    await this.shim.request((tag) => closeStdinMessage(tag, this.number));
  }

  /** Called by the shim when the process's end was told. */
  end(status: ExitStatus): void {
    this.#settleExit(status);
  }
}
