import { closeSync } from "node:fs";
import { PlatformError } from "../errors/platform-error.ts";
import { encodePlan } from "../kernel/encode-plan.ts";
import { openPidfd, sendSignalByPidfd } from "../kernel/processes.ts";
import type { Plan } from "../kernel/steps.ts";
import type { ExecRequest, ExitStatus, Shim, ShimProcess } from "./contract.ts";
import { readExitFile } from "./exit-file.ts";
import { failureError } from "./failure.ts";
import { HelperProcess } from "./helper-process.ts";
import { execMessage, type ShimMessage, subscribeMessage } from "./messages.ts";
import { ShimConnection, StepFailure } from "./shim-connection.ts";
import { socketPath } from "./shim-directory.ts";

const SIGKILL = 9;
const LOST: ExitStatus = { exitCode: 128 + SIGKILL, signal: SIGKILL, exitedAtNs: 0n };

/** What became of the container's process before anybody could start it. */
export type Preparation =
  | { readonly state: "created" }
  | { readonly state: "failed"; readonly error: PlatformError }
  | { readonly state: "exited"; readonly status: ExitStatus }
  | { readonly state: "lost" };

/** A live connection to one shim. */
export class HelperShim implements Shim {
  /** Settles with the first that is known of the container's process. */
  readonly prepared: Promise<Preparation>;
  /** Settles when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  started = false;
  readonly #settleClosed: () => void;
  readonly #settlePrepared: (preparation: Preparation) => void;
  readonly #processes = new Map<number, HelperProcess>();
  /** Ends of exec'd processes that came before the answer to their EXEC. */
  readonly #earlyExits = new Map<number, ExitStatus>();
  #connection: ShimConnection | undefined;
  #init: HelperProcess | undefined;
  #pidfd = -1;
  #disconnected = false;

  constructor(
    readonly containerId: string,
    readonly directory: string,
    /** Names the steps of failures; undefined for an adopted one. */
    private plan: Plan | undefined,
  ) {
    const { promise, resolve } = Promise.withResolvers<Preparation>();
    this.prepared = promise;
    this.#settlePrepared = resolve;
    const closing = Promise.withResolvers<void>();
    this.closed = closing.promise;
    this.#settleClosed = closing.resolve;
  }

  /** Connects and subscribes. Errors as of ShimConnection.open: the shim may have ended already. */
  async connect(): Promise<void> {
    const { connection } = await ShimConnection.open(socketPath(this.directory), subscribeMessage, {
      event: (message) => this.#event(message),
      closed: () => this.#closed(),
    });
    this.#connection = connection;
  }

  /** Resolves when every event that happened before the connection has come. */
  async settleReplay(): Promise<void> {
    // A second subscription gets nothing but its answer, which stands behind the events of the first.
    await this.#connection?.request(subscribeMessage).catch(() => undefined);
  }

  get init(): ShimProcess {
    return this.#requireInit();
  }

  async exec(request: ExecRequest): Promise<ShimProcess> {
    const plan = encodePlan(request.plan);
    try {
      const answer = await this.request((tag) => execMessage(tag, request, plan));
      const number = answer.readUInt32LE(0);
      const process = new HelperProcess(this, number, answer.readUInt32LE(4), request.plan);
      const early = this.#earlyExits.get(number);
      this.#earlyExits.delete(number);
      if (early) process.end(early);
      else if (this.#connection) this.#processes.set(number, process);
      else process.end(LOST);
      return process;
    } catch (error) {
      throw error instanceof StepFailure ? failureError(request.plan, error.failure) : error;
    }
  }

  disconnect(): void {
    this.#disconnected = true;
    this.#connection?.close();
    this.#releasePidfd();
  }

  /** For the processes of this shim. */
  request(write: (tag: number) => Uint8Array): Promise<Buffer> {
    if (!this.#connection) {
      return Promise.reject(
        new PlatformError("Unavailable", "the container's shim is gone", { code: "shim.gone" }),
      );
    }
    return this.#connection.request(write);
  }

  #requireInit(): HelperProcess {
    if (!this.#init) throw new PlatformError("System", `shim of ${this.containerId} has no process yet`);
    return this.#init;
  }

  #event(message: Exclude<ShimMessage, { type: "ok" | "error" }>): void {
    switch (message.type) {
      case "created":
        if (message.process === 0) this.#created(message.pid);
        return;
      case "started":
        if (message.process === 0) this.started = true;
        return;
      case "failed":
        this.#settlePrepared({ state: "failed", error: failureError(this.plan, message.failure) });
        return;
      case "exited":
        this.#exited(message.process, {
          exitCode: message.exitCode,
          signal: message.signal,
          exitedAtNs: message.atNs,
        });
    }
  }

  #created(pid: number): void {
    this.#init = new HelperProcess(this, 0, pid, this.plan);
    this.plan = undefined; // the process keeps it until its start
    this.#processes.set(0, this.#init);
    try {
      this.#pidfd = openPidfd(pid);
    } catch {
      // It has ended already: nothing will have to be killed.
    }
    this.#settlePrepared({ state: "created" });
  }

  #exited(number: number, status: ExitStatus): void {
    const process = this.#processes.get(number);
    this.#processes.delete(number);
    if (number === 0) {
      this.#releasePidfd();
      this.#settlePrepared({ state: "exited", status });
    }
    if (process) process.end(status);
    else if (number !== 0) this.#earlyExits.set(number, status);
  }

  /** Takes what the shim left in its directory for all that will ever be known. */
  believeExitFile(): void {
    this.#settleClosed();
    const record = readExitFile(this.directory);
    if (record?.failure) {
      const failure = failureError(this.plan, record.failure);
      this.#settlePrepared({ state: "failed", error: failure });
    }
    this.#settlePrepared(record ? { state: "exited", status: record.status } : { state: "lost" });
    if (!record) this.#killOrphan();
    for (const [number, process] of this.#processes) {
      process.end(number === 0 && record ? record.status : { ...LOST, exitedAtNs: nowNs() });
    }
    this.#processes.clear();
    this.#releasePidfd();
  }

  /** The shim has ended, or was killed; or the caller disconnected, and the container goes on. */
  #closed(): void {
    this.#connection = undefined;
    if (this.#disconnected) this.#settleClosed();
    else this.believeExitFile();
  }

  /** Without its shim nobody reads the process's output or knows its end. */
  #killOrphan(): void {
    if (this.#pidfd >= 0) sendSignalByPidfd(this.#pidfd, SIGKILL);
  }

  #releasePidfd(): void {
    if (this.#pidfd >= 0) closeSync(this.#pidfd);
    this.#pidfd = -1;
  }
}

const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
