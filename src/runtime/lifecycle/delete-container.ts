import { closeSync } from "node:fs";
import { conflict, PlatformError, systemError } from "../../errors/platform-error.ts";
import { POLLIN, poll } from "../../kernel/poll.ts";
import { isProcessAlive } from "../../kernel/process-facts.ts";
import { openPidfd } from "../../kernel/processes.ts";
import { isErrno } from "../../kernel/syscall.ts";
import { containerDirectory, lockDirectory, removeContainerDirectory } from "./container-directory.ts";
import { type ContainerState, type InitProcess, tryReadState } from "./container-state.ts";
import { statusOf } from "./container-status.ts";
import { signalContainer } from "./kill-container.ts";
import { killLeftoverProcesses } from "./leftover-processes.ts";
import { hookState } from "./oci-state.ts";
import { removeContainer } from "./remove-container.ts";
import { runHooksLeniently } from "./run-hooks.ts";

const sigkill = 9;
const killTimeoutMs = 10_000;

export interface DeleteOptions {
  /** Kills it first; one that is not there is fine. */
  readonly force: boolean;
  /** A poststop hook failed. */
  warn(message: string): void;
}

/**
 * Removes what `create` made, of a stopped container or of one whose `create` was killed; then runs the poststop hooks.
 *
 * Errors: NotFound, Conflict unless it is stopped; both only without `force`.
 * Spec:   OCI Runtime Specification, "Delete", "Lifecycle", steps 11 to 13.
 */
export async function deleteContainer(root: string, id: string, options: DeleteOptions): Promise<void> {
  const directory = containerDirectory(root, id);
  try {
    await deleteLocked(directory, id, options);
  } catch (error) {
    if (options.force && error instanceof PlatformError && error.kind === "NotFound") return;
    throw error;
  }
}

async function deleteLocked(directory: string, id: string, { force, warn }: DeleteOptions): Promise<void> {
  if (!force) requireStopped(directory, id);
  const lock = lockDirectory(directory);
  try {
    const state = tryReadState(directory);
    if (state === undefined) {
      // Killed before it wrote anything down: nothing but the directory was made.
      killLeftoverProcesses(directory);
      removeContainerDirectory(directory);
      return;
    }
    if (force) killAndWait(state);
    else if (isAlive(state)) throw notStopped(id, "created");
    await removeContainer(directory, state);
    runHooksLeniently("poststop", state.hooks.poststop, hookState(state, "stopped"), warn);
  } finally {
    lock.release();
  }
}

/** Before the lock is taken, as only then it tells whether `create` still is at work. */
function requireStopped(directory: string, id: string): void {
  const state = tryReadState(directory);
  const status = state === undefined ? "stopped" : statusOf(directory, state);
  if (status !== "stopped") throw notStopped(id, status);
}

const notStopped = (id: string, status: string) =>
  conflict(`cannot delete container ${id} that is not stopped: ${status}`, {
    hint: "kill it first, or use --force",
  });

const isAlive = ({ init }: ContainerState): boolean =>
  init !== undefined && isProcessAlive(init.pid, init.startTime);

function killAndWait(state: ContainerState): void {
  if (state.init === undefined || !signalContainer(state, sigkill, true)) return;
  waitForEnd(state.init, state.id);
}

/** A zombie has ended: its parent is somebody else's. Errors: System after ten seconds. */
function waitForEnd({ pid, startTime }: InitProcess, id: string): void {
  let pidfd: number;
  try {
    pidfd = openPidfd(pid);
  } catch (error) {
    if (isErrno(error, "ESRCH")) return;
    throw error;
  }
  try {
    if (!isProcessAlive(pid, startTime)) return;
    const [ended = 0] = poll([{ fd: pidfd, events: POLLIN }], killTimeoutMs);
    if (ended === 0) throw systemError(`container ${id} does not end: process ${pid} ignores SIGKILL`);
  } finally {
    closeSync(pidfd);
  }
}
