import { parseReference } from "../../formats/reference.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flag-kinds.ts";
import { checkInsecure } from "../values/insecure-registry.ts";

interface CreatedList {
  readonly name: string;
  readonly members: readonly { readonly reference: string; readonly source: string }[];
}

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] MANIFEST_LIST MANIFEST [MANIFEST...]",
    flags: {
      amend: bool("Add to a list that is there already", { short: "a" }),
      insecure: bool("Allow plain HTTP (on loopback that is always so)"),
    },
    args: { min: 2 },

    async execute(context, { flags, args: [list = "", ...manifests] }) {
      checkInsecure(flags.insecure, [list, ...manifests]);
      const { registryConfigHeaders } = await import("../progress/registry-auth.ts");
      const domains = manifests.map((name) => parseReference(name).domain);
      const created = await context.engine.json<CreatedList>("POST", "/gantry/v1/manifest-lists", {
        query: { name: list, amend: flags.amend },
        json: { manifests },
        headers: registryConfigHeaders(domains, context),
      });
      for (const { reference } of created.members.filter(({ source }) => source === "local")) {
        context.stderr.write(
          `${reference} is taken from this machine: push the list to bring it to the registry\n`,
        );
      }
      context.stdout.write(`Created manifest list ${created.name}\n`);
      return 0;
    },
  });
