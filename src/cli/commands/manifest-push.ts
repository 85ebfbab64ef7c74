import { defineCommand } from "../command.ts";
import { bool } from "../flag-kinds.ts";
import { checkInsecure } from "../values/insecure-registry.ts";

interface PushedIndex {
  readonly digest: string;
  readonly members: readonly { readonly reference: string; readonly digest: string }[];
}

const lists = "/gantry/v1/manifest-lists";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] MANIFEST_LIST",
    flags: {
      insecure: bool("Allow plain HTTP (on loopback that is always so)"),
      purge: bool("Forget the list afterwards", { short: "p" }),
    },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [name = ""] }) {
      checkInsecure(flags.insecure, [name]);
      const { registryConfigHeaders } = await import("../progress/registry-auth.ts");
      const domains = await context.engine.json<string[]>("GET", `${lists}/registries`, { query: { name } });
      const { digest, members } = await context.engine.json<PushedIndex>("POST", `${lists}/push`, {
        query: { name, purge: flags.purge },
        headers: registryConfigHeaders(domains, context),
      });
      for (const member of members) {
        context.stdout.write(`Pushed ref ${member.reference} with digest: ${member.digest}\n`);
      }
      context.stdout.write(`${digest}\n`);
      return 0;
    },
  });
