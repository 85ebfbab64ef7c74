import { type CommandDefinition, defineCommand } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { inspectObjects, type ObjectKind } from "../format/inspect-objects.ts";

import { platformJson } from "../values/platform.ts";

/** `container inspect`, `image inspect`, `network inspect`: `inspect` for one kind of object. */
export function inspectCommand(kind: ObjectKind): CommandDefinition {
  const shown = kind.toUpperCase();
  const format = text('"json", or a Go template', { short: "f" });
  const usage = `[OPTIONS] ${shown} [${shown}...]`;
  if (kind === "image") {
    return defineCommand({
      usage,
      flags: { format, platform: text("Platform to choose from a multi-platform image") },
      args: { min: 1 },
      execute: (context, { flags, args }) =>
        inspectObjects(context, {
          names: args,
          kinds: [kind],
          format: flags.format,
          size: false,
          platform: platformJson(flags.platform),
        }),
    });
  }
  if (kind !== "container") {
    return defineCommand({
      usage,
      flags: { format },
      args: { min: 1 },
      execute: (context, { flags, args }) =>
        inspectObjects(context, { names: args, kinds: [kind], format: flags.format, size: false }),
    });
  }
  return defineCommand({
    usage,
    flags: { format, size: bool("Also show how much it has written", { short: "s" }) },
    args: { min: 1 },
    execute: (context, { flags, args }) =>
      inspectObjects(context, { names: args, kinds: [kind], format: flags.format, size: flags.size }),
  });
}
