import type { CommandContext, TerminalSize } from "../context.ts";
import { pathOf } from "../engine-client.ts";

/** Signals that a user may send to the client and mean the container. SIGPIPE and SIGCHLD are our own business. */
const forwarded = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGTSTP",
  "SIGCONT",
] as const;

/** Sends the client's signals to the container until disposed of. */
export function forwardSignals(context: CommandContext, containerId: string): Disposable {
  const stops = forwarded.map((signal) =>
    context.signals.on(signal, () => {
      context.engine
        .send("POST", `/containers/${pathOf(containerId)}/kill`, { query: { signal: signal.slice(3) } })
        .catch(() => {}); // it has not started yet, or has ended
    }),
  );
  return {
    [Symbol.dispose]: () => {
      for (const stop of stops) stop();
    },
  };
}

/**
 * Keeps the size of the process's terminal that of ours until disposed of. `resizePath`: `/containers/X/resize`.
 * `redraw`: the process has drawn already, for somebody else: only a change makes it draw again, so it gets one.
 */
export function followTerminalSize(
  context: CommandContext,
  resizePath: string,
  { redraw = false } = {},
): Disposable {
  const resizeTo = ({ rows, columns }: TerminalSize) =>
    context.engine.send("POST", resizePath, { query: { h: rows, w: columns } }).catch(() => {}); // it has ended
  const resize = async (isOther = false) => {
    const size = context.terminal.size();
    if (size === undefined || size.rows === 0) return;
    if (isOther) await resizeTo({ rows: size.rows + 1, columns: size.columns + 1 });
    await resizeTo(size);
  };
  void resize(redraw);
  const stop = context.signals.on("SIGWINCH", () => void resize());
  return { [Symbol.dispose]: stop };
}
