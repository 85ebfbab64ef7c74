import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { list, text } from "../flag-kinds.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] MANIFEST_LIST [MANIFEST]",
    flags: {
      annotation: list("Annotate the manifest, or without one the list (key=value)"),
      arch: text("Architecture of the manifest"),
      os: text("Operating system of the manifest"),
      "os-features": list("Features of the operating system that it needs, separated by commas"),
      "os-version": text("Version of the operating system"),
      variant: text("Variant of the architecture"),
    },
    args: { min: 1, max: 2 },

    async execute(context, { flags, given, args: [name, manifest] }) {
      await context.engine.send("POST", "/gantry/v1/manifest-lists/annotate", {
        query: { name, manifest },
        json: {
          os: flags.os,
          architecture: flags.arch,
          variant: flags.variant,
          osVersion: flags["os-version"],
          ...(given.has("os-features")
            ? { osFeatures: flags["os-features"].flatMap((each) => each.split(",")) }
            : {}),
          annotations: Object.fromEntries(flags.annotation.map(keyAndValue)),
        },
      });
      return 0;
    },
  });

function keyAndValue(annotation: string): [string, string] {
  const at = annotation.indexOf("=");
  if (at > 0) return [annotation.slice(0, at), annotation.slice(at + 1)];
  throw new CommandError(`invalid annotation ${JSON.stringify(annotation)}: it must be key=value`);
}
