import { defineCommand } from "../command.ts";
import { bool, encodeFilters, filters, text } from "../flag-kinds.ts";
import { type NetworkSummary, networkRows } from "../format/network-row.ts";
import { formatList } from "../format/rows.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: {
      filter: filters(),
      format: text('"table", "table TEMPLATE", "json", or a Go template'),
      "no-trunc": bool("Show everything in full length"),
      quiet: bool("Show ids only", { short: "q" }),
    },
    args: { min: 0, max: 0 },

    async execute(context, { flags }) {
      const networks = await context.engine.json<NetworkSummary[]>("GET", "/networks", {
        query: { filters: encodeFilters(flags.filter) },
      });
      const sorted = [...networks].sort((a, b) => (a.Name < b.Name ? -1 : 1));
      context.stdout.write(await formatList(networkRows(!flags["no-trunc"]), sorted, flags));
      return 0;
    },
  });
