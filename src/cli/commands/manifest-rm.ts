import { defineCommand } from "../command.ts";
import { forEachObject } from "../for-each.ts";

export const command = () =>
  defineCommand({
    usage: "MANIFEST_LIST [MANIFEST_LIST...]",
    flags: {},
    args: { min: 1 },

    execute: (context, { args }) =>
      forEachObject(context, args, async (name) => {
        await context.engine.send("DELETE", "/gantry/v1/manifest-lists", { query: { name } });
        return undefined; // Docker says nothing, too
      }),
  });
