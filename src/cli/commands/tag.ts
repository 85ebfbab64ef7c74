import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";

export const command = () =>
  defineCommand({
    usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    flags: {},
    args: { min: 2, max: 2 },

    async execute(context, { args: [source = "", target = ""] }) {
      const { familiarName, parseReference, withDefaultTag } = await import("../../formats/reference.ts");
      const reference = withDefaultTag(parseReference(target));
      await context.engine.send("POST", `/images/${pathOf(source)}/tag`, {
        query: { repo: familiarName(reference), tag: reference.tag },
      });
      return 0;
    },
  });
