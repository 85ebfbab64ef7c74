import { constants } from "node:os";
import { becomeSubreaper } from "../../kernel/child-processes.ts";
import { POLLIN, pollAsync } from "../../kernel/poll.ts";
import { sendSignal } from "../../kernel/processes.ts";
import { watchSignals } from "../../kernel/watch-signals.ts";
import type { LaunchedProcess } from "../../runtime/lifecycle/launcher.ts";
import type { Console } from "./console.ts";

/** Signals that somebody may mean for the program. Others are the kernel's answer to what this process did itself. */
const forwarded = new Map(
  (
    [
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
    ] as const
  ).map((name) => [name, constants.signals[name]]),
);

/**
 * Signals of this process on their way to one of the foreground. Installed before that process is made: what comes earlier
 * waits for it.
 */
export class ForwardedSignals implements Disposable {
  private readonly pending: number[] = [];
  private pid: number | undefined;
  private readonly remove = watchSignals(forwarded, (signal) => this.take(signal));

  passTo(pid: number): void {
    this.pid = pid;
    for (const signal of this.pending.splice(0)) sendSignal(pid, signal);
  }

  [Symbol.dispose](): void {
    this.remove();
  }

  private take(signal: number): void {
    if (this.pid === undefined) this.pending.push(signal);
    else sendSignal(this.pid, signal);
  }
}

/**
 * Stays with a process of the foreground until it ends: passes signals on, and serves its terminal if it has one.
 * Out: its exit code; 128 + signal when killed.
 */
export async function waitInForeground(
  launched: LaunchedProcess,
  signals: ForwardedSignals,
  console: Console | undefined,
): Promise<number> {
  signals.passTo(launched.pid);
  if (console !== undefined) await console.serve(launched.helperPidfd);
  else await pollAsync([{ fd: launched.helperPidfd, events: POLLIN }]);
  return launched.exitCode();
}

/** Orphans of the container come to this process, and not to whoever started it. */
export const adoptOrphans = (): void => becomeSubreaper();
