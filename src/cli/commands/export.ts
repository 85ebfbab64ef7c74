import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";
import { text } from "../flag-kinds.ts";
import { writeArchive } from "../write-archive.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER",
    flags: { output: text("Write to this file instead of standard output", { short: "o" }) },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [container = ""] }) {
      const path = `/containers/${pathOf(container)}/export`;
      await writeArchive(context, flags.output, () => context.engine.open("GET", path));
      return 0;
    },
  });
