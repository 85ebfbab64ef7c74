import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { bool, text } from "../flag-kinds.ts";
import { containerFlags } from "../run/container-flags.ts";
import { attachedStreams } from "../run/create-body.ts";
import { createContainer } from "../run/create-container.ts";
import { runAttached, startContainer } from "../run/run-attached.ts";
import { checkDetachKeys, checkTerminal } from "../run/stream-session.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    flags: {
      ...containerFlags(),
      detach: bool("Run in the background and print the container's id", { short: "d" }),
      "detach-keys": text("Keys that detach from the container (default ctrl-p,ctrl-q)"),
      "dry-run": bool("Show the kernel steps instead of running them"),
      "sig-proxy": bool("Pass signals on to the process", { initial: true }),
    },
    args: { min: 1 },
    interspersed: false,
    failureCode: 125,
    helpAfterFailure: true,

    async execute(context, { flags, args }) {
      if (flags.detach && flags.attach.length > 0) {
        throw new CommandError("conflicting options: cannot specify both --attach and --detach", {
          exitCode: 125,
        });
      }
      if (flags["dry-run"]) {
        const { explainPlanned } = await import("../run/explain-planned.ts");
        return explainPlanned(context, flags, args);
      }
      const detachKeys = flags["detach-keys"];
      checkDetachKeys(detachKeys);
      if (!flags.detach) checkTerminal(context, attachedStreams(flags, false).stdin, flags.tty);
      // For create, and then attach, wait and start at the same time.
      context.engine.prepare(flags.detach ? 1 : 3);
      const { Id } = await createContainer(context, flags, args, flags.detach);
      if (flags.detach) {
        await startContainer(context, Id);
        context.stdout.write(`${Id}\n`);
        return 0;
      }
      return runAttached(context, {
        containerId: Id,
        streams: attachedStreams(flags, false),
        tty: flags.tty,
        autoRemove: flags.rm,
        sigProxy: flags["sig-proxy"],
        detachKeys,
      });
    },
  });
