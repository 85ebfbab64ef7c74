import { defineCommand } from "../command.ts";
import { bool, encodeFilters, filters, notBuilt, text } from "../flag-kinds.ts";
import { type ImageSummary, imageRows, splitImages } from "../format/image-row.ts";
import { formatColumn, formatRows } from "../format/rows.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] [REPOSITORY[:TAG]]",
    flags: {
      all: bool("Also show intermediate images", { short: "a" }),
      digests: bool("Show digests"),
      filter: filters(),
      format: text('"table", "table TEMPLATE", "json", or a Go template'),
      "no-trunc": bool("Show everything in full length"),
      quiet: bool("Show ids only", { short: "q" }),
      tree: notBuilt(),
    },
    args: { min: 0, max: 1 },

    async execute(context, { flags, args: [name] }) {
      const wanted = name === undefined ? flags.filter : [...flags.filter, ["reference", name] as const];
      const images = await context.engine.json<ImageSummary[]>("GET", "/images/json", {
        query: { all: flags.all, digests: flags.digests, filters: encodeFilters(wanted) },
      });
      const rows = imageRows({ truncate: !flags["no-trunc"], digest: flags.digests, nowMs: context.nowMs() });
      const withDigest = flags.digests || /\.Digest\b/.test(flags.format ?? "");
      context.stdout.write(
        flags.quiet && flags.format === undefined
          ? formatColumn(rows, splitImages(images, withDigest), "ID")
          : await formatRows(rows, splitImages(images, withDigest), flags.format),
      );
      return 0;
    },
  });
