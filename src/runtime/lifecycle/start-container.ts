import { closeSync } from "node:fs";
import { conflict } from "../../errors/platform-error.ts";
import { openPidfd, sendSignalByPidfd } from "../../kernel/processes.ts";
import { isErrno } from "../../kernel/syscall.ts";
import { containerDirectory } from "./container-directory.ts";
import { type ContainerState, readState } from "./container-state.ts";
import { type ContainerStatus, statusOf } from "./container-status.ts";
import { alreadyStarted, releaseFifo, takeStartFailure } from "./exec-fifo.ts";
import { listenForReadiness } from "./notify-socket.ts";
import { hookState } from "./oci-state.ts";
import { runHooks } from "./run-hooks.ts";

const sigkill = 9;

/** Makes an error of what a process wrote of a failing step; only then the planning code is needed. */
export type ExplainFailure = (report: Uint8Array, directory: string, state: ContainerState) => Promise<Error>;

/**
 * Runs the program of a created container; returns once it runs and its poststart hooks have.
 *
 * Errors: Conflict unless it is created; those of the failing step or hook, after which the container is stopped.
 * Spec:   OCI Runtime Specification, "Start", "Lifecycle", steps 6 to 9.
 */
export async function startContainer(root: string, id: string, explain: ExplainFailure): Promise<void> {
  const directory = containerDirectory(root, id);
  const state = readState(directory);
  const { init } = state;
  const failure = takeStartFailure(directory);
  if (failure !== undefined) throw await explain(failure, directory, state);
  requireCreated(statusOf(directory, state));
  const pidfd = openInit(init?.pid ?? 0);
  try {
    using readiness = listenForReadiness(directory, state);
    const report = releaseFifo(directory, pidfd);
    if (report !== undefined) throw await explain(report, directory, state);
    finishStart(state, pidfd);
    readiness?.forward(init?.pid ?? 0, pidfd);
  } finally {
    closeSync(pidfd);
  }
}

/** The poststart hooks; when one fails, the process is killed if it has not ended. */
export function finishStart(state: ContainerState, pidfd: number | undefined): void {
  if (state.hooks.poststart.length === 0) return;
  try {
    runHooks("poststart", state.hooks.poststart, hookState(state, "running"));
  } catch (error) {
    if (pidfd !== undefined) sendSignalByPidfd(pidfd, sigkill);
    throw error;
  }
}

function openInit(pid: number): number {
  try {
    return openPidfd(pid);
  } catch (error) {
    if (isErrno(error, "ESRCH")) throw alreadyStopped();
    throw error;
  }
}

const alreadyStopped = () => conflict("cannot start a container that has stopped");

function requireCreated(status: ContainerStatus): void {
  if (status === "created") return;
  if (status === "stopped") throw alreadyStopped();
  if (status === "running") throw alreadyStarted();
  throw conflict(`cannot start a container in the ${status} state`);
}
