import { type FsckLine, type FsckSummary, isFsckLine } from "../../wire/fsck-report.ts";
import { readJsonLines } from "../../wire/json-lines.ts";
import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { bool, text } from "../flag-kinds.ts";

const defaultRoot = "/var/lib/gantry";

/** Exit codes: nothing is wrong; something is, or was lost; the check did not come to its end. */
const [clean, wrong, unchecked] = [0, 1, 2];

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: {
      deep: bool("Compare the files of unpacked layers with their blobs, too"),
      json: bool("Print JSON lines"),
      repair: bool("Rebuild what can be, move aside what cannot"),
      root: text("Check this directory of an engine that does not run"),
    },
    args: { min: 0, max: 0 },
    failureCode: unchecked,

    async execute(context, { flags }) {
      const { deep, repair } = flags;
      const { fsckText } = await import("../format/fsck-text.ts");
      let summary: FsckSummary | undefined;
      for await (const line of await checkedBy(context, flags.root, { deep, repair })) {
        if ("error" in line) {
          throw new CommandError(line.error, { ...(line.hint ? { hint: line.hint } : {}) });
        }
        if ("summary" in line) summary = line.summary;
        context.stdout.write(flags.json ? `${JSON.stringify(line)}\n` : fsckText(line));
      }
      if (summary === undefined) throw new CommandError("the check broke off before its end");
      return summary.problems === 0 && summary.lost.length === 0 ? clean : wrong;
    },
  });

interface Wanted {
  readonly deep: boolean;
  readonly repair: boolean;
}

/** The engine checks what it uses; where none runs, this process does, as the only one. */
async function checkedBy(
  context: CommandContext,
  root: string | undefined,
  wanted: Wanted,
): Promise<AsyncIterable<FsckLine>> {
  if (root !== undefined) return context.checkRoot(root, wanted);
  const absence = await context.engine.absence();
  if (absence === undefined) return checkedByEngine(context, wanted);
  if (context.isDefaultEngine) return context.checkRoot(defaultRoot, wanted);
  throw new CommandError(absence.message, {
    hint: "to check what an engine has left that does not run, name its directory with --root",
  });
}

/** A repair asks registries: which ones, and so whose credentials the engine needs, a check before it tells. */
async function* checkedByEngine(context: CommandContext, wanted: Wanted): AsyncGenerator<FsckLine> {
  const registries: string[] = [];
  if (wanted.repair) {
    for await (const line of engineLines(context, { ...wanted, repair: false }, {})) {
      if ("summary" in line) registries.push(...line.summary.registries);
    }
  }
  const { registryConfigHeaders } = await import("../progress/registry-auth.ts");
  yield* engineLines(context, wanted, registryConfigHeaders(registries, context));
}

async function* engineLines(
  context: CommandContext,
  wanted: Wanted,
  headers: Readonly<Record<string, string>>,
): AsyncGenerator<FsckLine> {
  const response = await context.engine.open("POST", "/gantry/v1/fsck", { query: { ...wanted }, headers });
  for await (const line of readJsonLines(response.body)) if (isFsckLine(line)) yield line;
}
