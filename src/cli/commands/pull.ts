import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { bool, text } from "../flag-kinds.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    flags: {
      "all-tags": bool("Pull all tags of the repository", { short: "a" }),
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
      const isAll = flags["all-tags"];
      if (isAll && (reference.tag ?? reference.digest) !== undefined) {
        throw new CommandError("a tag cannot be given together with --all-tags", {
          hint: "name the repository alone",
        });
      }
      const complete = isAll ? reference : withDefaultTag(reference);
      const auth = registryAuth(complete.domain, context);
      if (reference.tag !== complete.tag && !flags.quiet) {
        context.stdout.write(`Using default tag: ${complete.tag}\n`);
      }
      const output = { stream: context.stdout, isTerminal: context.terminal.isTerminal("stdout") };
      await pullImage(context, {
        image: familiarReference(complete),
        allTags: isAll,
        platform: flags.platform,
        auth,
        output: flags.quiet ? undefined : output,
      });
      context.stdout.write(`${canonicalReference(complete)}\n`);
      return 0;
    },
  });
