import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { pathOf } from "../engine-client.ts";
import { bool, list, text } from "../flag-kinds.ts";
import { followTerminalSize } from "../run/forward-signals.ts";
import { checkDetachKeys, checkTerminal, runSession } from "../run/stream-session.ts";
import { checkEnvironmentVariable, readKeyValueFile, resolveEnvironment } from "../values/environment.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
    flags: {
      detach: bool("Run in the background", { short: "d" }),
      "detach-keys": text("Keys that detach from the process (default ctrl-p,ctrl-q)"),
      env: list("Set an environment variable", { short: "e", check: checkEnvironmentVariable }),
      "env-file": list("Read environment variables from a file"),
      interactive: bool("Keep standard input open even if not attached", { short: "i" }),
      privileged: bool("Give the process all capabilities"),
      tty: bool("Give the process a terminal", { short: "t" }),
      user: text("User and group of the process (name|uid[:group|gid])", { short: "u" }),
      workdir: text("Working directory inside the container", { short: "w" }),
    },
    args: { min: 2 },
    interspersed: false,

    async execute(context, { flags, args }) {
      const [container = "", ...command] = args;
      checkDetachKeys(flags["detach-keys"]);
      if (!flags.detach) checkTerminal(context, flags.interactive, flags.tty);
      const size = flags.tty ? context.terminal.size() : undefined;
      const consoleSize = size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] };
      const variables = flags["env-file"]
        .flatMap((path) => readKeyValueFile(context.files, path))
        .concat(flags.env);
      const { Id } = await context.engine.json<{ Id: string }>(
        "POST",
        `/containers/${pathOf(container)}/exec`,
        {
          json: {
            AttachStdin: flags.interactive && !flags.detach,
            AttachStdout: !flags.detach,
            AttachStderr: !flags.detach,
            Tty: flags.tty,
            Privileged: flags.privileged,
            Env: resolveEnvironment(variables, context.env),
            Cmd: command,
            ...(flags.user === undefined ? {} : { User: flags.user }),
            ...(flags.workdir === undefined ? {} : { WorkingDir: flags.workdir }),
            ...(flags["detach-keys"] === undefined ? {} : { DetachKeys: flags["detach-keys"] }),
            ...consoleSize,
          },
        },
      );
      const path = `/exec/${Id}`;
      if (flags.detach) {
        await context.engine.send("POST", `${path}/start`, { json: { Detach: true, Tty: flags.tty } });
        return 0;
      }
      const attachment = await context.engine.hijack(`${path}/start`, {
        json: { Detach: false, Tty: flags.tty, ...consoleSize },
      });
      using _size = flags.tty ? followTerminalSize(context, `${path}/resize`) : undefined;
      const end = await runSession(context, attachment, {
        stdin: flags.interactive,
        tty: flags.tty,
        detachKeys: flags["detach-keys"],
      });
      if (end === "detached") throw new CommandError("read escape sequence");
      return await exitCodeOf(context, path);
    },
  });

interface ExecInspect {
  readonly ExitCode: number | null;
  readonly Running: boolean;
}

/** The stream ends with the process, so its exit code is known by then. */
async function exitCodeOf(context: CommandContext, path: string): Promise<number> {
  const { ExitCode } = await context.engine.json<ExecInspect>("GET", `${path}/json`);
  return ExitCode ?? 0;
}
