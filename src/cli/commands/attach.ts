import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { pathOf } from "../engine-client.ts";
import { bool, text } from "../flag-kinds.ts";
import { beginWait } from "../run/exit-status.ts";
import { followTerminalSize, forwardSignals } from "../run/forward-signals.ts";
import { inspectContainer } from "../run/inspect-container.ts";
import { checkDetachKeys, checkTerminal, runSession } from "../run/stream-session.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER",
    flags: {
      "detach-keys": text("Keys that detach from the container (default ctrl-p,ctrl-q)"),
      "no-stdin": bool("Do not attach standard input"),
      "sig-proxy": bool("Pass signals on to the process", { initial: true }),
    },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [name = ""] }) {
      checkDetachKeys(flags["detach-keys"]);
      const { Id, State, Config } = await inspectContainer(context, name);
      if (!State.Running) throw new CommandError("You cannot attach to a stopped container, start it first");
      if (State.Paused) throw new CommandError("You cannot attach to a paused container, unpause it first");
      if (State.Restarting)
        throw new CommandError("You cannot attach to a restarting container, wait until it is running");
      const stdin = Config.OpenStdin && !flags["no-stdin"];
      checkTerminal(context, stdin, Config.Tty);
      const path = `/containers/${pathOf(Id)}`;
      const [exitCode, attachment] = await Promise.all([
        beginWait(context, Id, "not-running"),
        context.engine.hijack(`${path}/attach`, {
          query: { stream: true, stdin, stdout: true, stderr: true, detachKeys: flags["detach-keys"] },
        }),
      ]);
      using _signals = flags["sig-proxy"] ? forwardSignals(context, Id) : undefined;
      using _size = Config.Tty ? followTerminalSize(context, `${path}/resize`, { redraw: true }) : undefined;
      const end = await runSession(context, attachment, {
        stdin,
        tty: Config.Tty,
        detachKeys: flags["detach-keys"],
      });
      if (end === "detached") throw new CommandError("read escape sequence");
      return await exitCode();
    },
  });
