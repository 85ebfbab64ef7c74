import { defineCommand } from "../command.ts";
import { humanSize } from "../format/human.ts";
import { confirm } from "../prune/confirm.ts";
import { printPrunePlan } from "../prune/print-plan.ts";
import { pruneContainers } from "../prune/prune.ts";
import { pruneFlags } from "../prune/prune-flags.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: pruneFlags(),
    args: { min: 0, max: 0 },

    async execute(context, { flags: { filter, force, "dry-run": dryRun } }) {
      if (dryRun) await printPrunePlan(context, { containers: filter });
      else {
        if (!force) await confirm(context, "This will remove all stopped containers.");
        const bytes = await pruneContainers(context, filter);
        context.stdout.write(`Total reclaimed space: ${humanSize(bytes)}\n`);
      }
      return 0;
    },
  });
