import { conflict } from "../../errors/platform-error.ts";
import type { Shim } from "../../shim/contract.ts";
import type { ContainerRecord, ContainerState } from "./container-record.ts";
import type { ExecInstance } from "./exec-instance.ts";
import { Mutex } from "./mutex.ts";
import { Notice } from "./notice.ts";
import { PendingAttachments } from "./pending-attachments.ts";
import { notRunning } from "./process-ended.ts";
import { type ContainerEvent, type ContainerStatus, isLive, next } from "./state-machine.ts";

/**
 * One container in memory: its record, and what exists only while the engine runs. What can be done with it are the
 * services beside this file; they change it through `change` and `apply`, and save it through the store.
 */
export class Container {
  /** Set while the container is live. */
  shim: Shim | undefined;
  /** Start, stop, pause and remove of one container come one after another. */
  readonly lock = new Mutex();
  /** While a restart stops the container: `--rm` does not remove it then. */
  isKeptOnExit = false;
  /** What is still to be released of the last run; never rejects. A new start and a removal wait for it. */
  cleanup: Promise<void> = Promise.resolve();
  /** Given with the exit code at each exit, before the clean-up. */
  readonly exits = new Notice<number>();
  /** Given with the last exit code once the container is gone. */
  readonly removals = new Notice<number>();
  /** Clients that attached before the start. */
  readonly attachments = new PendingAttachments();
  readonly execs = new Map<string, ExecInstance>();

  constructor(public record: ContainerRecord) {}

  get id(): string {
    return this.record.id;
  }

  get name(): string {
    return this.record.name;
  }

  get status(): ContainerStatus {
    return this.record.state.status;
  }

  get isLive(): boolean {
    return isLive(this.status);
  }

  change(patch: Partial<ContainerRecord>): void {
    this.record = { ...this.record, ...patch };
  }

  changeState(patch: Partial<ContainerState>): void {
    this.change({ state: { ...this.record.state, ...patch } });
  }

  /** Asks the state machine; Conflict where `event` cannot happen now. */
  apply(event: ContainerEvent, patch: Partial<ContainerState> = {}): void {
    const status = next(this.status, event);
    if (status === undefined) throw conflict(`cannot ${event} container ${this.id}: it is ${this.status}`);
    this.changeState({ ...patch, status });
  }

  /** The live shim; Conflict with Docker's wording when there is no process. */
  liveShim(): Shim {
    if (!this.isLive || this.shim === undefined) throw notRunning(this.id);
    return this.shim;
  }
}
