/** Commands that do one thing to each of several containers. */
import { type CommandDefinition, defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";
import { integer, text } from "../flag-kinds.ts";
import { forEachObject } from "../for-each.ts";

export function freezeCommand(action: "pause" | "unpause"): CommandDefinition {
  return defineCommand({
    usage: "CONTAINER [CONTAINER...]",
    flags: {},
    args: { min: 1 },

    execute: (context, { args }) =>
      forEachObject(context, args, async (name) => {
        await context.engine.send("POST", `/containers/${pathOf(name)}/${action}`);
        return name;
      }),
  });
}

export function stopCommand(action: "stop" | "restart"): CommandDefinition {
  return defineCommand({
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    flags: {
      signal: text("Signal to send first", { short: "s" }),
      timeout: integer("Seconds until SIGKILL, -1 to wait for ever", { short: "t" }),
      time: integer("Seconds until SIGKILL", { hidden: true }),
    },
    args: { min: 1 },

    execute: (context, { flags, args }) =>
      forEachObject(context, args, async (name) => {
        await context.engine.send("POST", `/containers/${pathOf(name)}/${action}`, {
          query: { signal: flags.signal, t: flags.timeout ?? flags.time },
        });
        return name;
      }),
  });
}
