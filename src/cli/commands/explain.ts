import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";
import { bool } from "../flag-kinds.ts";
import { printBody } from "../print-body.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER",
    flags: { json: bool("Print the steps as JSON") },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [container = ""] }) {
      const response = await context.engine.open("GET", `/gantry/v1/containers/${pathOf(container)}/plan`, {
        query: { format: flags.json ? "json" : "text" },
      });
      await printBody(context, response.body);
      return 0;
    },
  });
