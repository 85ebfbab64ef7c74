import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { forEachObject } from "../for-each.ts";

export const command = () =>
  defineCommand({
    usage: "IMAGE|DIR [IMAGE|DIR...]",
    flags: {},
    args: { min: 1 },

    // A path has a slash at its beginning or a dot before it; no image's name has.
    execute: (context, { args }) =>
      forEachObject(context, args, async (target) => {
        const query = /^\.{0,2}\//.test(target) ? { path: resolve(target) } : { image: target };
        const unmounted = await context.engine.json<{ readonly Path: string }[]>(
          "DELETE",
          "/gantry/v1/image-mounts",
          { query },
        );
        return unmounted.map(({ Path }) => Path).join("\n");
      }),
  });
