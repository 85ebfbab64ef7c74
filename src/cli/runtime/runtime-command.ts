/** What a command of the OCI runtime is made of. One file here exports one as `command`. */
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { ProcessLauncher } from "../../runtime/lifecycle/launcher.ts";
import type { ArgumentCount } from "../command.ts";
import type { FlagTable, FlagValues, ParsedFlags } from "../flags.ts";
import type { RuntimeLog } from "./runtime-log.ts";

export interface RuntimeContext {
  /** Name of the program in messages: `gantry-runtime`. */
  readonly program: string;
  readonly version: string;
  /** Directory of the containers. */
  readonly root: string;
  /** --rootless; undefined for "auto". */
  readonly rootless: boolean | undefined;
  /** --systemd-cgroup; only what makes a container asks. */
  readonly systemdCgroup: boolean;
  /** --criu: a path, or a name that is in PATH. */
  readonly criu: string;
  readonly log: RuntimeLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes all of it to standard output. */
  print(text: string): void;
  /** Loaded by the commands which make processes only. */
  launcher(): Promise<ProcessLauncher>;
  /** A shorter way to delete a container by force, where there is one; false when it is not for this container. */
  readonly deleteNatively: ((root: string, id: string) => boolean) | undefined;
  host(): Promise<HostFacts>;
}

export interface RuntimeInput<F extends FlagTable> {
  readonly flags: FlagValues<F>;
  readonly given: ParsedFlags<F>["given"];
  readonly args: readonly string[];
}

export interface RuntimeCommand<F extends FlagTable = FlagTable> {
  /** Behind the command's name: `[OPTIONS] CONTAINER`. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: F;
  readonly args: ArgumentCount;
  /** False: the first plain argument ends the flags. Default true. */
  readonly interspersed?: false;
  /** Put in front of the messages of errors: `exec failed`. */
  readonly failure?: string;
  /** Exit code after an error; default 1. */
  readonly failureCode?: number;
  /** Out: the exit code. */
  execute(context: RuntimeContext, input: RuntimeInput<F>): Promise<number>;
}

/** Gives `execute` the types of the command's own flags. */
export function defineRuntimeCommand<F extends FlagTable>(definition: RuntimeCommand<F>): RuntimeCommand {
  // `execute` is only ever called with what `parseFlags` made from this very table.
  return definition as unknown as RuntimeCommand;
}
