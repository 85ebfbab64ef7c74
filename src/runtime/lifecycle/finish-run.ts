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
  let pidfd: number;
  try {
    pidfd = openPidfd(process.pid);
  } catch (error) {
    if (isErrno(error, "ESRCH")) return; // it has ended, and somebody has reaped it
    throw error;
  }
  try {
    finishStart(state, pidfd);
  } finally {
    closeSync(pidfd);
  }
}
