import { defineCommand } from "../command.ts";
import { EngineError, pathOf } from "../engine-client.ts";
import { bool, list } from "../flag-kinds.ts";
import { forEachObject } from "../for-each.ts";
import { platformsJson } from "../values/platform.ts";

interface Deleted {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: {
      force: bool("Remove the image even if it has several names or stopped containers", { short: "f" }),
      "no-prune": bool("Keep parent images that have no name"),
      platform: list("Remove these platforms of a multi-platform image alone", { type: "stringSlice" }),
    },
    args: { min: 1 },

    // One after another: the second name of an image decides what removing it does.
    async execute(context, { flags, args }) {
      const platforms = platformsJson(flags.platform);
      let failed = false;
      for (const name of args) {
        await forEachObject(context, [name], async () => {
          try {
            const deleted = await context.engine.json<Deleted[]>("DELETE", `/images/${pathOf(name)}`, {
              query: { force: flags.force, noprune: flags["no-prune"], platforms },
            });
            return deleted.map(describe).join("\n");
          } catch (error) {
            // With --force an image that is not there is as good as removed, as with `rm -f` of a file.
            failed ||= !(flags.force && error instanceof EngineError && error.status === 404);
            throw error;
          }
        });
      }
      return failed ? 1 : 0;
    },
  });

const describe = ({ Untagged, Deleted }: Deleted) =>
  Deleted === undefined ? `Untagged: ${Untagged}` : `Deleted: ${Deleted}`;
