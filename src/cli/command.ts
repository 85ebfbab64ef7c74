/** What a command is made of. One file in `commands/` exports one as `command`, a function that builds it. */
import type { CommandContext } from "./context.ts";
import type { FlagTable, FlagValues, ParsedFlags } from "./flags.ts";

export interface ArgumentCount {
  readonly min: number;
  /** Undefined: any number. */
  readonly max?: number;
}

export interface CommandInput<F extends FlagTable> {
  readonly flags: FlagValues<F>;
  readonly given: ParsedFlags<F>["given"];
  readonly args: readonly string[];
}

export interface CommandDefinition<F extends FlagTable = FlagTable> {
  /** After the command's name: `[OPTIONS] CONTAINER [CONTAINER...]`. */
  readonly usage: string;
  readonly flags: F;
  readonly args: ArgumentCount;
  /** False: the first plain argument ends the flags. Default true. */
  readonly interspersed?: false;
  /** Exit code of a CommandError that names none. Docker: 125 for run, create and exec; default 1. */
  readonly failureCode?: number;
  /** What the engine refuses ends with `Run 'gantry X --help' for more information`, as Docker does for run. */
  readonly helpAfterFailure?: true;
  /** Out: the exit code. */
  execute(context: CommandContext, input: CommandInput<F>): Promise<number>;
}

/** Gives `execute` the types of the command's own flags. */
export function defineCommand<F extends FlagTable>(definition: CommandDefinition<F>): CommandDefinition {
  // `execute` is only ever called with what `parseFlags` made from this very table.
  return definition as unknown as CommandDefinition;
}
