import { defineCommand } from "../command.ts";
import { bool } from "../flag-kinds.ts";
import { humanSize } from "../format/human.ts";
import { confirm } from "../prune/confirm.ts";
import { printPrunePlan } from "../prune/print-plan.ts";
import { imageFilters, pruneImages } from "../prune/prune.ts";
import { pruneFlags } from "../prune/prune-flags.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: {
      all: bool("Remove all unused images, not only those without a tag", { short: "a" }),
      ...pruneFlags(),
    },
    args: { min: 0, max: 0 },

    async execute(context, { flags: { all, filter, force, "dry-run": dryRun } }) {
      const images = imageFilters(filter, all);
      if (dryRun) await printPrunePlan(context, { images });
      else {
        const which = all
          ? "all images without at least one container associated to them"
          : "all dangling images";
        if (!force) await confirm(context, `This will remove ${which}.`);
        const bytes = await pruneImages(context, images);
        context.stdout.write(`Total reclaimed space: ${humanSize(bytes)}\n`);
      }
      return 0;
    },
  });
