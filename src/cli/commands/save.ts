import { defineCommand } from "../command.ts";
import { list, text } from "../flag-kinds.ts";
import { platformsJson } from "../values/platform.ts";
import { writeArchive } from "../write-archive.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: {
      output: text("Write to this file instead of standard output", { short: "o" }),
      platform: list("Save these platforms of multi-platform images", { type: "stringSlice" }),
    },
    args: { min: 1 },

    async execute(context, { flags, args }) {
      const query = new URLSearchParams(args.map((name): [string, string] => ["names", name]));
      for (const platform of platformsJson(flags.platform)) query.append("platform", platform);
      await writeArchive(context, flags.output, () => context.engine.open("GET", `/images/get?${query}`));
      return 0;
    },
  });
