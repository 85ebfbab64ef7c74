import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";

export const command = () =>
  defineCommand({
    usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    flags: {},
    args: { min: 2, max: 2 },

    async execute(context, { args: [source = "", target = ""] }) {
      const { newImageQuery } = await import("../new-image-query.ts");
      await context.engine.send("POST", `/images/${pathOf(source)}/tag`, { query: newImageQuery(target) });
      return 0;
    },
  });
