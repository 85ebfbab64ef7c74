import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";
import { text } from "../flag-kinds.ts";
import { forEachObject } from "../for-each.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    flags: { signal: text("Signal to send (default KILL)", { short: "s" }) },
    args: { min: 1 },

    execute: (context, { flags, args }) =>
      forEachObject(context, args, async (name) => {
        await context.engine.send("POST", `/containers/${pathOf(name)}/kill`, {
          query: { signal: flags.signal },
        });
        return name;
      }),
  });
