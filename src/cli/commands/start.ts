import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { pathOf } from "../engine-client.ts";
import { bool, text } from "../flag-kinds.ts";
import { forEachObject } from "../for-each.ts";
import { inspectContainer } from "../run/inspect-container.ts";
import { runAttached } from "../run/run-attached.ts";
import { checkDetachKeys, checkTerminal } from "../run/stream-session.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    flags: {
      attach: bool("Attach standard output and error, pass signals on", { short: "a" }),
      "detach-keys": text("Keys that detach from the container (default ctrl-p,ctrl-q)"),
      interactive: bool("Attach standard input", { short: "i" }),
    },
    args: { min: 1 },

    async execute(context, { flags, args }) {
      if (!flags.attach && !flags.interactive) {
        return forEachObject(context, args, async (name) => {
          await context.engine.send("POST", `/containers/${pathOf(name)}/start`);
          return name;
        });
      }
      if (args.length > 1) throw new CommandError("you cannot start and attach multiple containers at once");
      checkDetachKeys(flags["detach-keys"]);
      const { Id, Config, HostConfig } = await inspectContainer(context, args[0] ?? "");
      const stdin = flags.interactive && Config.OpenStdin;
      checkTerminal(context, stdin, Config.Tty);
      return runAttached(context, {
        containerId: Id,
        streams: { stdin, stdout: true, stderr: true },
        tty: Config.Tty,
        autoRemove: HostConfig.AutoRemove,
        sigProxy: !Config.Tty,
        detachKeys: flags["detach-keys"],
      });
    },
  });
