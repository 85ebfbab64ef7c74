/** What the outside world is to a command; tests put another world here. */

import type { FsckLine } from "../wire/fsck-report.ts";
import { type ClientFiles, OwnProcessNeeded } from "./client-files.ts";
import type { EngineClient } from "./engine-client.ts";
import type { Environment } from "./values/environment.ts";

export interface Output {
  /** Takes everything. Whoever writes much waits for the result, where there is one: then there is room for more. */
  write(data: string | Uint8Array): Promise<void> | undefined;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface Terminal {
  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean;
  /** Undefined when standard output is no terminal. */
  size(): TerminalSize | undefined;
  /** Raw mode of standard input until the result is called; also undone when the process exits. */
  raw(): () => void;
  /** What is typed is not shown until the result is called, or the process exits. */
  hideTyping(): () => void;
}

export interface Signals {
  /** Until the result is called. Taking a signal over keeps it from ending the process. */
  on(signal: NodeJS.Signals, handler: () => void): () => void;
}

export interface CommandContext {
  /** The words that led here, with `gantry`: `gantry container ls`. */
  readonly commandName: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard input, read only from the first call on. */
  stdin(): AsyncIterable<Uint8Array>;
  readonly env: Environment;
  readonly files: ClientFiles;
  readonly terminal: Terminal;
  readonly signals: Signals;
  readonly engine: EngineClient;
  nowMs(): number;
  /** Checks the directory of an engine that does not run, with this user's credentials for registries. */
  checkRoot: CheckRoot;
  /** Neither `-H` nor `GANTRY_HOST` named an engine. */
  readonly isDefaultEngine: boolean;
}

export type CheckRoot = (
  root: string,
  wanted: { readonly deep: boolean; readonly repair: boolean },
) => AsyncIterable<FsckLine>;

/** Of a world that has no directories to check. */
export const rootOutOfReach: CheckRoot = () => {
  throw new OwnProcessNeeded();
};
