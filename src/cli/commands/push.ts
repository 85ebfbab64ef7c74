import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { pathOf } from "../engine-client.ts";
import { bool, text } from "../flag-kinds.ts";
import { platformJson } from "../values/platform.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] NAME[:TAG]",
    flags: {
      "all-tags": bool("Push all tags of the repository", { short: "a" }),
      platform: text("Push this platform of a multi-platform image alone"),
      quiet: bool("Print nothing but the name", { short: "q" }),
    },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [image = ""] }) {
      const { canonicalReference, familiarName, parseReference, repositoryName, withDefaultTag } =
        await import("../../formats/reference.ts");
      const { registryAuth } = await import("../progress/registry-auth.ts");
      const { showProgress } = await import("../progress/pull-image.ts");
      const given = parseReference(image);
      const isAll = flags["all-tags"];
      if (isAll && (given.tag ?? given.digest) !== undefined) {
        throw new CommandError("a tag cannot be given together with --all-tags", {
          hint: "name the repository alone",
        });
      }
      if (given.digest !== undefined) throw new CommandError("cannot push a digest reference");
      const reference = isAll ? given : withDefaultTag(given);
      // Docker's engine wants the header also from those who have nothing to say.
      const auth = registryAuth(reference.domain, context) ?? "e30=";
      if (given.tag !== reference.tag && !flags.quiet) {
        context.stdout.write(`Using default tag: ${reference.tag}\n`);
      }
      const response = await context.engine.open("POST", `/images/${pathOf(familiarName(reference))}/push`, {
        query: { tag: reference.tag, platform: platformJson(flags.platform) },
        headers: { "X-Registry-Auth": auth },
      });
      const output = { stream: context.stdout, isTerminal: context.terminal.isTerminal("stdout") };
      await showProgress(context, response.body, flags.quiet ? undefined : output);
      if (flags.quiet) {
        context.stdout.write(`${isAll ? repositoryName(reference) : canonicalReference(reference)}\n`);
      }
      return 0;
    },
  });
