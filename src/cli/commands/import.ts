import { defineCommand } from "../command.ts";
import { list, text } from "../flag-kinds.ts";
import { readArchive } from "../read-archive.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    flags: {
      change: list("Apply a Dockerfile instruction to the image", { short: "c" }),
      message: text("Say what the image is for", { short: "m" }),
      platform: text("Platform of the files in the archive"),
    },
    args: { min: 1, max: 2 },

    async execute(context, { flags, args: [source = "", name] }) {
      const { newImageQuery } = await import("../new-image-query.ts");
      const isUrl = /^https?:\/\//.test(source);
      const path = source === "-" ? undefined : source;
      const response = await context.engine.open("POST", "/images/create", {
        query: {
          fromSrc: isUrl ? source : "-",
          ...newImageQuery(name),
          message: flags.message,
          changes: flags.change.join("\n"),
          platform: flags.platform,
        },
        ...(isUrl ? {} : { body: readArchive(context, path, "import") }),
      });
      const { showProgress } = await import("../progress/pull-image.ts");
      const isTerminal = context.terminal.isTerminal("stdout");
      await showProgress(context, response.body, { stream: context.stdout, isTerminal });
      return 0;
    },
  });
