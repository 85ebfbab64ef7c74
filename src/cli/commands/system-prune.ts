import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { bool } from "../flag-kinds.ts";
import { humanSize } from "../format/human.ts";
import { confirm } from "../prune/confirm.ts";
import { printPrunePlan } from "../prune/print-plan.ts";
import { imageFilters, pruneContainers, pruneImages, pruneNetworks, pruneVolumes } from "../prune/prune.ts";
import { pruneFlags } from "../prune/prune-flags.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: {
      all: bool("Remove all unused images, not only those without a tag", { short: "a" }),
      volumes: bool("Remove volumes that no container uses, too"),
      ...pruneFlags(),
    },
    args: { min: 0, max: 0 },

    // Containers first: what only they used is unused then.
    async execute(context, { flags: { all, volumes, filter, force, "dry-run": dryRun } }) {
      if (volumes && filter.some(([key]) => key === "until"))
        throw new CommandError('the "until" filter is not supported with "--volumes"');
      const images = imageFilters(filter, all);
      if (dryRun) {
        await printPrunePlan(context, { containers: filter, images });
        return 0;
      }
      if (!force) await confirm(context, warning(all, volumes));
      let bytes = await pruneContainers(context, filter);
      bytes += await pruneNetworks(context, filter);
      if (volumes) bytes += await pruneVolumes(context, filter);
      bytes += await pruneImages(context, images);
      context.stdout.write(`Total reclaimed space: ${humanSize(bytes)}\n`);
      return 0;
    },
  });

function warning(all: boolean, volumes: boolean): string {
  const what = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...(volumes ? ["all anonymous volumes not used by at least one container"] : []),
    all ? "all images without at least one container associated to them" : "all dangling images",
  ];
  return `This will remove:\n${what.map((line) => `  - ${line}\n`).join("")}`;
}
