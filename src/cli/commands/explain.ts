import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { bool, text } from "../flag-kinds.ts";
import { printBody } from "../print-body.ts";
import type { ExplainOptions } from "../runtime/explain-bundle.ts";

const formats = ["text", "json", "shell"] as const;
type Format = (typeof formats)[number];

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER|IMAGE|BUNDLE\n        gantry explain --diff A B",
    flags: {
      as: text('Print it as "text", "json", or as a "shell" script of plain commands'),
      bundle: text(
        "Plan the OCI bundle in this directory, without an engine; as an argument it is ./DIR or /DIR",
      ),
      diff: bool("Show which steps two containers, images, or bundles differ in"),
      json: bool("Print the steps as JSON"),
      "systemd-cgroup": bool("Plan bundles whose cgroups systemd makes, as the runtime's flag of this name"),
    },
    args: { min: 0, max: 2 },

    async execute(context, { flags, args }) {
      const { bundle, diff } = flags;
      const format = formatOf(flags.as, flags.json);
      const expected = bundle !== undefined ? 0 : diff ? 2 : 1;
      if (args.length !== expected || (diff && bundle !== undefined))
        throw new CommandError("explain takes one container, image or bundle; with --diff two", {
          usageHint: true,
        });
      if (diff && format === "shell")
        throw new CommandError("--diff is no shell script: text, json", { usageHint: true });
      const [of = "", second] = args;
      const path = bundle ?? (!diff && isPath(of) ? of : undefined);
      const options = { systemdCgroup: flags["systemd-cgroup"], env: context.env };
      if (options.systemdCgroup && path === undefined && !isPath(of))
        throw new CommandError(
          "--systemd-cgroup is for bundles: the engine makes its containers' cgroups itself",
          {
            usageHint: true,
          },
        );
      if (options.systemdCgroup && format === "shell")
        throw new CommandError(
          "--systemd-cgroup is no shell script, as systemd makes the cgroup: text, json",
          {
            usageHint: true,
          },
        );
      if (path !== undefined) {
        const { explainBundle } = await import("../runtime/explain-bundle.ts");
        context.stdout.write(explainBundle(path, format, options));
        return 0;
      }
      if (second !== undefined)
        return printDiff(context, of, second, format === "json" ? "json" : "text", options);
      return print(context, "/gantry/v1/plan", { of, format });
    },
  });

/** No name of a container or an image begins as a path does. */
const isPath = (argument: string) => /^\.{0,2}\//.test(argument) || argument === "." || argument === "..";

async function printDiff(
  context: CommandContext,
  first: string,
  second: string,
  format: "text" | "json",
  options: ExplainOptions,
): Promise<number> {
  if (!isPath(first) && !isPath(second))
    return print(context, "/gantry/v1/plan/diff", { a: first, b: second, format });
  if (!isPath(first) || !isPath(second))
    throw new CommandError("--diff compares two bundles, or two containers or images", { usageHint: true });
  const { diffBundles } = await import("../runtime/explain-bundle.ts");
  context.stdout.write(diffBundles(first, second, format, options));
  return 0;
}

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
