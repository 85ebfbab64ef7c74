import { closeSync } from "node:fs";
import { conflict } from "../../errors/platform-error.ts";
import { writeCgroupFile } from "../../kernel/cgroup-files.ts";
import { controllerDirectory, listProcesses } from "../../kernel/cgroupfs.ts";
import { isProcessAlive } from "../../kernel/process-facts.ts";
import { openPidfd, sendSignal, sendSignalByPidfd } from "../../kernel/processes.ts";
import { isErrno } from "../../kernel/syscall.ts";
import { containerDirectory } from "./container-directory.ts";
import { type ContainerState, type InitProcess, readState } from "./container-state.ts";
import { hasProcess, isFrozen, statusOf } from "./container-status.ts";

const sigkill = 9;

export const notRunning = () => conflict("container not running");

/**
 * Sends a signal to the container's first process. Without a pid namespace of its own its others would stay: SIGKILL, and every
 * signal with `all`, goes to each process of its cgroup then.
 *
 * Errors: Conflict when there is no process; with `all` a stopped container is fine.
 * Spec:   OCI Runtime Specification, "Kill".
 */
export function killContainer(root: string, id: string, signal: number, all: boolean): void {
  const directory = containerDirectory(root, id);
  const state = readState(directory);
  const running = hasProcess(statusOf(directory, state));
  if (!running && !all) throw notRunning();
  signalContainer(state, signal, all);
}

/** The same without asking for the status. False when the first process is gone. */
export function signalContainer(state: ContainerState, signal: number, all: boolean): boolean {
  const everybody = !state.ownPidNamespace && (all || signal === sigkill);
  const delivered = state.init !== undefined && signalInit(state.init, signal);
  if (everybody) signalCgroup(state, signal);
  // A frozen process of v1 does not even die.
  if (signal === sigkill && state.cgroup.facts.version === 1 && isFrozen(state)) thaw(state);
  return delivered;
}

/** By a pidfd, so that the number cannot have become somebody else's between the check and the signal. */
function signalInit({ pid, startTime }: InitProcess, signal: number): boolean {
  let pidfd: number;
  try {
    pidfd = openPidfd(pid);
  } catch (error) {
    if (isErrno(error, "ESRCH")) return false;
    throw error;
  }
  try {
    return isProcessAlive(pid, startTime) && sendSignalByPidfd(pidfd, signal);
  } finally {
    closeSync(pidfd);
  }
}

function signalCgroup({ cgroup: { facts, path, directories }, init }: ContainerState, signal: number): void {
  const directory = controllerDirectory(facts, "pids", path) ?? directories[0];
  if (directory === undefined) return;
  for (const pid of listProcesses(directory)) if (pid !== 0 && pid !== init?.pid) sendSignal(pid, signal);
}

function thaw({ cgroup: { facts, path } }: ContainerState): void {
  const directory = controllerDirectory(facts, "freezer", path);
  if (directory !== undefined) writeCgroupFile(`${directory}/freezer.state`, "THAWED");
}
