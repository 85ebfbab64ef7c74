import { defineCommand } from "../command.ts";
import { bool, encodeFilters, filters, integer, text } from "../flag-kinds.ts";
import { formatRows } from "../format/rows.ts";
import { type SearchResult, searchRows } from "../format/search-row.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] [REGISTRY/]TERM",
    flags: {
      filter: filters(),
      format: text('"table", "table TEMPLATE", "json", or a Go template'),
      limit: integer("How many results at most (default 25)"),
      "no-trunc": bool("Show descriptions in full length"),
    },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [term = ""] }) {
      const { registryAuth } = await import("../progress/registry-auth.ts");
      const [first = "", rest] = term.split("/");
      const isRegistry = rest !== undefined && (/[.:]/.test(first) || first === "localhost");
      const auth = registryAuth(isRegistry ? first : "docker.io", context);
      const results = await context.engine.json<SearchResult[]>("GET", "/images/search", {
        query: { term, limit: flags.limit, filters: encodeFilters(flags.filter) },
        ...(auth === undefined ? {} : { headers: { "X-Registry-Auth": auth } }),
      });
      context.stdout.write(
        await formatRows(searchRows({ truncate: !flags["no-trunc"] }), results, flags.format),
      );
      return 0;
    },
  });
