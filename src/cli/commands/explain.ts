import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { pathOf } from "../engine-client.ts";
import { bool, text } from "../flag-kinds.ts";
import { explainFormats, printExplanation } from "../run/explain-planned.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  flags: {
    as: text("How to print the steps (text|shell|json)"),
    json: bool("Print the steps as JSON"),
  },
  args: { min: 1, max: 1 },

  async execute(context, { flags, args: [container = ""] }) {
    const format = flags.json ? "json" : (flags.as ?? "text");
    if (!explainFormats.some((known) => known === format)) {
      throw new CommandError(`unknown format: '${format}': must be one of ${explainFormats.join(", ")}`);
    }
    const response = await context.engine.open("GET", `/containers/${pathOf(container)}/explain`, {
      query: { format },
    });
    return printExplanation(context, response.body);
  },
});
