import { defineCommand } from "../command.ts";
import { text } from "../flag-kinds.ts";
import { platformJson } from "../values/platform.ts";
import { writeArchive } from "../write-archive.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: {
      output: text("Write to this file instead of standard output", { short: "o" }),
      platform: text("Save this platform of multi-platform images"),
    },
    args: { min: 1 },

    async execute(context, { flags, args }) {
      const platform = platformJson(flags.platform);
      const query = new URLSearchParams(args.map((name): [string, string] => ["names", name]));
      if (platform !== undefined) query.set("platform", platform);
      await writeArchive(context, flags.output, () => context.engine.open("GET", `/images/get?${query}`));
      return 0;
    },
  });
