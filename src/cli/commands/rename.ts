import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";

export const command = () =>
  defineCommand({
    usage: "CONTAINER NEW_NAME",
    flags: {},
    args: { min: 2, max: 2 },

    async execute(context, { args: [container = "", name] }) {
      await context.engine.send("POST", `/containers/${pathOf(container)}/rename`, { query: { name } });
      return 0;
    },
  });
