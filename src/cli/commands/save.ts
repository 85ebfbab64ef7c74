import { defineCommand } from "../command.ts";
import { notBuilt, text } from "../flag-kinds.ts";
import { writeArchive } from "../write-archive.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: {
      output: text("Write to this file instead of standard output", { short: "o" }),
      platform: notBuilt("stringSlice"),
    },
    args: { min: 1 },

    async execute(context, { flags, args }) {
      const names = args.map((name) => `names=${encodeURIComponent(name)}`).join("&");
      await writeArchive(context, flags.output, () => context.engine.open("GET", `/images/get?${names}`));
      return 0;
    },
  });
