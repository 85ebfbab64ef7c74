import { constants } from "node:os";
import { becomeSubreaper } from "../../kernel/child-processes.ts";
import { POLLIN, pollAsync } from "../../kernel/poll.ts";
import { sendSignal } from "../../kernel/processes.ts";
import type { LaunchedProcess } from "../../runtime/lifecycle/launcher.ts";
import type { Console } from "./console.ts";

/** Signals that somebody may mean for the program. Others are the kernel's answer to what this process did itself. */
const forwarded = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGCONT",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
] as const;

/**
 * Stays with a process of the foreground until it ends: passes signals on, and serves its terminal if it has one.
 * Out: its exit code; 128 + signal when killed.
 */
export async function waitInForeground(
  process: LaunchedProcess,
  console: Console | undefined,
): Promise<number> {
  const stop = forwardSignals(process.pid);
  try {
    if (console !== undefined) await console.serve(process.helperPidfd);
    else await pollAsync([{ fd: process.helperPidfd, events: POLLIN }]);
    return process.exitCode();
  } finally {
    stop();
  }
}

/** Orphans of the container come to this process, and not to whoever started it. */
export const adoptOrphans = (): void => becomeSubreaper();

function forwardSignals(pid: number): () => void {
  const handlers = forwarded.map((name) => {
    const handler = () => void sendSignal(pid, constants.signals[name]);
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}
