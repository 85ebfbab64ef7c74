import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";
import { bool, text } from "../flag-kinds.ts";
import { type HistoryEntry, historyRows } from "../format/history-row.ts";
import { formatList } from "../format/rows.ts";
import { platformJson } from "../values/platform.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] IMAGE",
    flags: {
      format: text('"table", "table TEMPLATE", "json", or a Go template'),
      human: bool("Show sizes and times for people", { short: "H", initial: true }),
      "no-trunc": bool("Show everything in full length"),
      platform: text("Platform to choose from a multi-platform image"),
      quiet: bool("Show ids only", { short: "q" }),
    },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [image = ""] }) {
      const entries = await context.engine.json<HistoryEntry[]>("GET", `/images/${pathOf(image)}/history`, {
        query: { platform: platformJson(flags.platform) },
      });
      const rows = historyRows({ truncate: !flags["no-trunc"], human: flags.human, nowMs: context.nowMs() });
      context.stdout.write(await formatList(rows, entries, flags));
      return 0;
    },
  });
