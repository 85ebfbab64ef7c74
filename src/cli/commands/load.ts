import { closeSync, openSync } from "node:fs";
import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { bool, text } from "../flag-kinds.ts";
import { reasonOf } from "../values/environment.ts";
import { platformJson } from "../values/platform.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: {
      input: text("Read this file instead of standard input", { short: "i" }),
      platform: text("Load images for this platform alone"),
      quiet: bool("Show only what was loaded", { short: "q" }),
    },
    args: { min: 0, max: 0 },

    async execute(context, { flags }) {
      const isTerminal = context.terminal.isTerminal("stdout");
      const response = await context.engine.open("POST", "/images/load", {
        query: { quiet: flags.quiet || !isTerminal ? "1" : "0", platform: platformJson(flags.platform) },
        body: archive(context, flags.input),
      });
      const { showProgress } = await import("../progress/pull-image.ts");
      await showProgress(context, response.body, { stream: context.stdout, isTerminal });
      return 0;
    },
  });

function archive(context: CommandContext, path: string | undefined): AsyncIterable<Uint8Array> {
  if (path !== undefined) {
    checkReadable(path);
    return Bun.file(path).stream();
  }
  if (context.terminal.isTerminal("stdin")) {
    throw new CommandError("requested load from stdin, but stdin is empty", {
      hint: "name an archive with -i, or send one through a pipe",
    });
  }
  return context.stdin();
}

/** A stream tells of a missing file only when it is read, in the middle of the request. */
function checkReadable(path: string): void {
  try {
    closeSync(openSync(path, "r"));
  } catch (error) {
    throw new CommandError(`open ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
