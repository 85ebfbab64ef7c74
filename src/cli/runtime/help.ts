/** Help texts of the OCI runtime; imported only when one is asked for. */
import type { FlagTable } from "../flags.ts";
import { flagLines } from "../help.ts";
import { findRuntimeCommand, runtimeCommandNames } from "./commands.ts";
import { globalFlags } from "./global-flags.ts";
import type { RuntimeCommand } from "./runtime-command.ts";

export async function mainHelp(program: string): Promise<string> {
  const rows = await Promise.all(
    runtimeCommandNames.map(async (name) => {
      const loaded = await findRuntimeCommand(name)?.();
      return `  ${name.padEnd(11)} ${loaded?.command.summary ?? ""}\n`;
    }),
  );
  return [
    `Usage:  ${program} [OPTIONS] COMMAND\n\nOCI runtime: makes containers from bundles\n`,
    `Commands:\n${rows.join("")}`,
    `Options:\n${flagLines(globalFlags as FlagTable)}`,
  ].join("\n");
}

export function commandHelp(
  program: string,
  name: string,
  { usage, summary, flags }: RuntimeCommand,
): string {
  const options = flagLines(flags);
  return `Usage:  ${program} ${name} ${usage}\n\n${summary}\n${options === "" ? "" : `\nOptions:\n${options}`}`;
}
