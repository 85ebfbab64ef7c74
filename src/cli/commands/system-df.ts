import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { bool, text } from "../flag-kinds.ts";
import {
  containerUsageFormat,
  type DiskUsage,
  imageUsageFormat,
  imageUsageRows,
  type StoreUsage,
  usageFormat,
  usageRows,
} from "../format/disk-usage-rows.ts";
import { humanSize } from "../format/human.ts";
import { type KeptObject, keepersText } from "../format/keepers-text.ts";
import { formatRows } from "../format/rows.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]\n        gantry system df --why IMAGE|CONTAINER|DIGEST [...]",
    flags: {
      format: text('"table", "table TEMPLATE", "json", or a Go template'),
      verbose: bool("Show each image and container", { short: "v" }),
      why: bool("Show who keeps what on disk: images, containers, leases, layers above"),
    },
    args: { min: 0 },

    async execute(context, { flags: { format, verbose, why }, args }) {
      if (why !== args.length > 0)
        throw new CommandError(
          why ? "--why needs images, containers or digests" : "system df accepts arguments only with --why",
          { usageHint: true },
        );
      if (format !== undefined && why && format !== "json")
        throw new CommandError(`--format ${format} with --why is not built into gantry yet`);
      if (why) await explain(context, args, format === "json");
      else if (verbose && format !== undefined && format !== "table") await formatEach(context, format);
      else if (verbose) await showEach(context);
      else {
        const [usage, stores] = await Promise.all([
          context.engine.json<DiskUsage>("GET", "/system/df"),
          context.engine.json<StoreUsage>("GET", "/gantry/v1/storage"),
        ]);
        context.stdout.write(await formatRows(usageFormat, usageRows(usage, stores), format));
      }
      return 0;
    },
  });

async function showEach(context: CommandContext): Promise<void> {
  const usage = await context.engine.json<DiskUsage>("GET", "/system/df");
  const { blobs, partials } = await context.engine.json<StoreUsage>("GET", "/gantry/v1/storage");
  const nowMs = context.nowMs();
  const images = await formatRows(imageUsageFormat(nowMs), imageUsageRows(usage.Images ?? []), undefined);
  const containers = await formatRows(containerUsageFormat(nowMs), usage.Containers ?? [], undefined);
  context.stdout.write(
    `Images space usage:\n\n${images}\nContainers space usage:\n\n${containers}\n` +
      `Stored blobs: ${blobs.total}, ${humanSize(blobs.bytes)}, of which nobody needs ${humanSize(blobs.reclaimableBytes)}\n` +
      `Partial blobs: ${partials.total}, ${humanSize(partials.bytes)}\n`,
  );
}

/** One template for all: `{{range .Images}}{{.Repository}} {{end}}`. */
async function formatEach(context: CommandContext, format: string): Promise<void> {
  const { fieldsOf, templateOf } = await import("../format/template-rows.ts");
  const template = templateOf(format === "json" ? "{{json .}}" : format);
  const usage = await context.engine.json<DiskUsage>("GET", "/system/df");
  const nowMs = context.nowMs();
  const document = {
    Images: imageUsageRows(usage.Images ?? []).map((row) => fieldsOf(imageUsageFormat(nowMs), row)),
    Containers: (usage.Containers ?? []).map((row) => fieldsOf(containerUsageFormat(nowMs), row)),
    Volumes: [],
    BuildCache: [],
  };
  context.stdout.write(`${template(document)}\n`);
}

async function explain(context: CommandContext, names: readonly string[], asJson: boolean): Promise<void> {
  for (const of of names) {
    const objects = await context.engine.json<KeptObject[]>("GET", "/gantry/v1/storage/keepers", {
      query: { of },
    });
    context.stdout.write(asJson ? `${JSON.stringify(objects)}\n` : keepersText(objects));
  }
}
