import { defineCommand } from "../command.ts";
import { bool, encodeFilters, filters, integer, text } from "../flag-kinds.ts";
import { type ContainerSummary, containerRows } from "../format/container-row.ts";
import { formatList } from "../format/rows.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: {
      all: bool("Also show containers that do not run", { short: "a" }),
      filter: filters(),
      format: text('"table", "table TEMPLATE", "json", or a Go template'),
      last: integer("Show the N containers made last, in any state", { short: "n" }),
      latest: bool("Show the container made last, in any state", { short: "l" }),
      "no-trunc": bool("Show everything in full length"),
      quiet: bool("Show ids only", { short: "q" }),
      size: bool("Show how much each container has written", { short: "s" }),
    },
    args: { min: 0, max: 0 },

    async execute(context, { flags }) {
      const limit = flags.latest ? 1 : flags.last;
      const wantsSize = flags.size || /\.Size\b/.test(flags.format ?? "");
      const containers = await context.engine.json<ContainerSummary[]>("GET", "/containers/json", {
        query: {
          all: flags.all,
          limit: limit !== undefined && limit > 0 ? limit : undefined,
          size: wantsSize,
          filters: encodeFilters(flags.filter),
        },
      });
      const rows = containerRows({ truncate: !flags["no-trunc"], size: flags.size, nowMs: context.nowMs() });
      context.stdout.write(await formatList(rows, containers, flags));
      return 0;
    },
  });
