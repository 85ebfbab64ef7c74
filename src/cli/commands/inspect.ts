import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { bool, text } from "../flag-kinds.ts";
import { inspectObjects, isObjectKind, objectKinds } from "../format/inspect-objects.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    flags: {
      format: text('"json", or a Go template', { short: "f" }),
      size: bool("Also show how much a container has written", { short: "s" }),
      type: text("Look only for this kind of object (container|image|network)"),
    },
    args: { min: 1 },

    execute(context, { flags, args }) {
      const { type } = flags;
      if (type !== undefined && type !== "" && !isObjectKind(type)) {
        throw new CommandError(
          `unknown type: ${JSON.stringify(type)}: must be one of ${objectKinds.join(", ")}`,
        );
      }
      const kinds = type === undefined || type === "" || !isObjectKind(type) ? objectKinds : [type];
      return inspectObjects(context, { names: args, kinds, format: flags.format, size: flags.size });
    },
  });
