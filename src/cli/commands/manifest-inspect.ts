import { parseReference } from "../../formats/reference.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flag-kinds.ts";
import { checkInsecure } from "../values/insecure-registry.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST",
    flags: {
      insecure: bool("Allow plain HTTP (on loopback that is always so)"),
      verbose: bool("Show each manifest of a list, with its descriptor and bytes", { short: "v" }),
    },
    args: { min: 1, max: 2 },

    async execute(context, { flags, args }) {
      const [list, manifest] = args.length === 2 ? args : [undefined, args[0]];
      checkInsecure(flags.insecure, args);
      const { registryConfigHeaders } = await import("../progress/registry-auth.ts");
      const domains = args.map((name) => parseReference(name).domain);
      const shown = await context.engine.json<unknown>("GET", "/gantry/v1/manifest-lists", {
        query: { name: manifest, list, verbose: flags.verbose },
        headers: registryConfigHeaders(domains, context),
      });
      context.stdout.write(`${JSON.stringify(shown, null, "\t")}\n`);
      return 0;
    },
  });
