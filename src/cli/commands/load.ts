import { defineCommand } from "../command.ts";
import { bool, list, text } from "../flag-kinds.ts";
import { readArchive } from "../read-archive.ts";
import { platformsJson } from "../values/platform.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: {
      input: text("Read this file instead of standard input", { short: "i" }),
      platform: list("Load images for these platforms alone", { type: "stringSlice" }),
      quiet: bool("Show only what was loaded", { short: "q" }),
    },
    args: { min: 0, max: 0 },

    async execute(context, { flags }) {
      const isTerminal = context.terminal.isTerminal("stdout");
      const response = await context.engine.open("POST", "/images/load", {
        query: { quiet: flags.quiet || !isTerminal ? "1" : "0", platform: platformsJson(flags.platform) },
        body: readArchive(context, flags.input, "load"),
      });
      const { showProgress } = await import("../progress/pull-image.ts");
      await showProgress(context, response.body, { stream: context.stdout, isTerminal });
      return 0;
    },
  });
