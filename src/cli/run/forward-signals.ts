import type { CommandContext } from "../context.ts";
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

/** Keeps the size of the process's terminal that of ours until disposed of. `resizePath`: `/containers/X/resize`. */
export function followTerminalSize(context: CommandContext, resizePath: string): Disposable {
  const resize = () => {
    const size = context.terminal.size();
    if (size === undefined || size.rows === 0) return;
    context.engine.send("POST", resizePath, { query: { h: size.rows, w: size.columns } }).catch(() => {}); // it has ended
  };
  resize();
  const stop = context.signals.on("SIGWINCH", resize);
  return { [Symbol.dispose]: stop };
}
