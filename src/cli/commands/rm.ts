import { defineCommand } from "../command.ts";
import { EngineError, pathOf } from "../engine-client.ts";
import { bool, notBuilt } from "../flag-kinds.ts";
import { forEachObject } from "../for-each.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    flags: {
      force: bool("Kill running containers first", { short: "f" }),
      link: notBuilt(undefined, "l"),
      volumes: bool("Remove the container's anonymous volumes too", { short: "v" }),
    },
    args: { min: 1 },

    execute: (context, { flags, args }) =>
      forEachObject(context, args, async (name) => {
        try {
          await context.engine.send("DELETE", `/containers/${pathOf(name)}`, {
            query: { force: flags.force, v: flags.volumes },
          });
        } catch (error) {
          // With force a missing container is what was wanted.
          if (!(flags.force && error instanceof EngineError && error.status === 404)) throw error;
          context.stderr.write(`gantry: ${error.message}\n`);
          return undefined;
        }
        return name;
      }),
  });
