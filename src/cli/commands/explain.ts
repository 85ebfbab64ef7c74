import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { bool, text } from "../flag-kinds.ts";
import { printBody } from "../print-body.ts";

const formats = ["text", "json", "shell"] as const;
type Format = (typeof formats)[number];

export const command = () =>
  defineCommand({
    usage:
      "[OPTIONS] CONTAINER|IMAGE\n        gantry explain [OPTIONS] --bundle DIR\n        gantry explain --diff A B",
    flags: {
      as: text('Print it as "text", "json", or as a "shell" script of plain commands'),
      bundle: text("Plan the OCI bundle in this directory, without an engine"),
      diff: bool("Show which steps two containers or images differ in"),
      json: bool("Print the steps as JSON"),
    },
    args: { min: 0, max: 2 },

    async execute(context, { flags, args }) {
      const { bundle, diff } = flags;
      const format = formatOf(flags.as, flags.json);
      const expected = bundle !== undefined ? 0 : diff ? 2 : 1;
      if (args.length !== expected || (diff && bundle !== undefined))
        throw new CommandError(
          "explain takes one container or image; with --diff two; or --bundle and a directory",
          { usageHint: true },
        );
      if (diff && format !== "text") throw new CommandError("--diff is text only", { usageHint: true });
      if (bundle !== undefined) {
        const { explainBundle } = await import("../runtime/explain-bundle.ts");
        context.stdout.write(explainBundle(bundle, format));
        return 0;
      }
      const [of, second] = args;
      if (second !== undefined) return print(context, "/gantry/v1/plan/diff", { a: of, b: second });
      return print(context, "/gantry/v1/plan", { of, format });
    },
  });

function formatOf(as: string | undefined, json: boolean): Format {
  const format = formats.find((name) => name === (as ?? (json ? "json" : "text")));
  if (format === undefined)
    throw new CommandError(`unknown form ${JSON.stringify(as)}: ${formats.join(", ")}`, { usageHint: true });
  if (json && format !== "json") throw new CommandError("--json contradicts --as", { usageHint: true });
  return format;
}

async function print(
  context: CommandContext,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const response = await context.engine.open("GET", path, { query });
  await printBody(context, response.body);
  return 0;
}
