import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { bool, encodeFilters, filters, text } from "../flag-kinds.ts";
import { type ImageSummary, imageRows, splitImages } from "../format/image-row.ts";
import { imageTable } from "../format/image-table.ts";
import { imageTree } from "../format/image-tree.ts";
import { formatList } from "../format/rows.ts";

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
      tree: bool("Show the platforms of each image below its name"),
    },
    args: { min: 0, max: 1 },

    async execute(context, { flags, given, args: [name] }) {
      const contradicting = (["digests", "format", "quiet"] as const).find((name) => given.has(name));
      if (flags.tree && contradicting !== undefined) {
        throw new CommandError(`--${contradicting} is not supported with --tree`, { usageHint: true });
      }
      const wanted = name === undefined ? flags.filter : [...flags.filter, ["reference", name] as const];
      const images = await context.engine.json<ImageSummary[]>("GET", "/images/json", {
        query: {
          all: flags.all,
          digests: flags.digests,
          filters: encodeFilters(wanted),
          manifests: flags.tree,
          "shared-size": needsSharedSize(flags.format),
        },
      });
      if (flags.tree) {
        context.stdout.write(imageTree(images, { truncate: !flags["no-trunc"] }));
        return 0;
      }
      const options = { truncate: !flags["no-trunc"], digest: flags.digests, nowMs: context.nowMs() };
      if (flags.format === undefined && !flags.quiet) {
        context.stdout.write(imageTable(images, options));
        return 0;
      }
      const rows = imageRows(options);
      const withDigest = flags.digests || /\.Digest\b/.test(flags.format ?? "");
      const style = { format: withDigestColumn(flags.format, flags.digests), quiet: flags.quiet };
      context.stdout.write(await formatList(rows, splitImages(images, withDigest), style));
      return 0;
    },
  });

/** `--digests` adds its column to a table of the user's too. */
const withDigestColumn = (format: string | undefined, digests: boolean): string | undefined =>
  digests && /^\s*table\s+\S/.test(format ?? "") && !/\.Digest\b/.test(format ?? "")
    ? `${format}\t{{.Digest}}`
    : format;

/** It costs the engine a look at all images, so that it is only asked for where it is shown. */
const needsSharedSize = (format: string | undefined): boolean =>
  format === "json" || /\.(SharedSize|UniqueSize)\b|json \./.test(format ?? "");
