import { defineCommand } from "../command.ts";
import { forEachObject } from "../for-each.ts";
import { beginWait } from "../run/exit-status.ts";

export const command = () =>
  defineCommand({
    usage: "CONTAINER [CONTAINER...]",
    flags: {},
    args: { min: 1 },

    execute: (context, { args }) =>
      forEachObject(context, args, async (name) => {
        const exitCode = await beginWait(context, name, "not-running");
        return String(await exitCode());
      }),
  });
