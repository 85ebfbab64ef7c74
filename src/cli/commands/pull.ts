import { defineCommand } from "../command.ts";
import { bool, notBuilt, text } from "../flag-kinds.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    flags: {
      "all-tags": notBuilt(undefined, "a"),
      platform: text("Platform to choose from a multi-platform image"),
      quiet: bool("Print nothing but the name", { short: "q" }),
    },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [image = ""] }) {
      const { canonicalReference, familiarReference, parseReference, withDefaultTag } = await import(
        "../../formats/reference.ts"
      );
      const { pullImage } = await import("../progress/pull-image.ts");
      const { registryAuth } = await import("../progress/registry-auth.ts");
      const reference = parseReference(image);
      const complete = withDefaultTag(reference);
      const auth = registryAuth(complete.domain, context);
      if (reference.tag !== complete.tag && !flags.quiet) {
        context.stdout.write(`Using default tag: ${complete.tag}\n`);
      }
      const output = { stream: context.stdout, isTerminal: context.terminal.isTerminal("stdout") };
      await pullImage(context, {
        image: familiarReference(complete),
        platform: flags.platform,
        auth,
        output: flags.quiet ? undefined : output,
      });
      context.stdout.write(`${canonicalReference(complete)}\n`);
      return 0;
    },
  });
