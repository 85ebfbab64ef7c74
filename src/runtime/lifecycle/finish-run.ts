import { closeSync } from "node:fs";
import { openPidfd } from "../../kernel/processes.ts";
import { isErrno } from "../../kernel/syscall.ts";
import type { CreatedContainer } from "./create-container.ts";
import { finishStart } from "./start-container.ts";

/**
 * What `run` does between its own create and the waiting: the program runs when this returns, and its poststart hooks have.
 * Errors: those of the failing step or hook; the process is gone then, the container is not.
 */
export function finishRun({ process, state }: CreatedContainer): void {
  process.confirmStarted();
  if (state.hooks.poststart.length === 0) return;
  const pidfd = tryOpenPidfd(process.pid);
  try {
    finishStart(state, pidfd);
  } finally {
    if (pidfd !== undefined) closeSync(pidfd);
  }
}

/** Undefined when it has ended, and somebody has reaped it: its hooks run all the same. */
function tryOpenPidfd(pid: number): number | undefined {
  try {
    return openPidfd(pid);
  } catch (error) {
    if (isErrno(error, "ESRCH")) return undefined;
    throw error;
  }
}
