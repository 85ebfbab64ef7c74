import type { PlatformError } from "../../errors/platform-error.ts";
import type { Plan } from "../../kernel/steps.ts";

export interface ProcessLaunch {
  /** `create`: the process waits on exec.fifo of `directory`; `exec`: it starts at once. */
  readonly mode: "create" | "exec";
  readonly containerId: string;
  /** The container's directory. It marks the processes that a killed runtime leaves (`leftover-processes.ts`). */
  readonly directory: string;
  readonly plan: Plan;
  /** The helper stays as parent, and ends as the process does. */
  readonly foreground: boolean;
  /** Connected socket that receives the master of the pty; needed by plans with a console. */
  readonly consoleSocket?: number;
  /** Descriptors 3, 4, … of this process that the new one gets under the same numbers. */
  readonly preserveFds: number;
}

export interface LaunchedProcess {
  /** In the caller's pid namespace. */
  readonly pid: number;
  /**
   * Mode `exec`: waits until the program runs. Errors: those of the failing step.
   * The end of a process that is not in the foreground is not ours to see.
   */
  confirmStarted(): void;
  /** A pidfd of the helper, whose end is that of the process in the foreground; closed by `exitCode`. */
  readonly helperPidfd: number;
  /** Reaps the helper. Out: 0-255; 128 + signal when killed. Holds this thread until then. */
  exitCode(): number;
}

/** A process that only waits. */
export interface HeldProcess {
  /** In the caller's pid namespace. */
  readonly pid: number;
  /** Lets it end, and waits for that. */
  end(): void;
}

/** Runs the helper that carries out plans; `shim/` has the one that there is. */
export interface ProcessLauncher {
  /**
   * Makes a process up to the point where it waits for its start (`create`) or is about to execute (`exec`). It inherits the
   * standard streams of this process, unless its plan has a console.
   * Errors: the PlatformError of the failing step; nothing is left then.
   */
  launch(request: ProcessLaunch): LaunchedProcess;
  /** Ends with this program at the latest, however that ends. */
  hold(): HeldProcess;
  /** The error in what a process wrote into its fifo. */
  failureOf(report: Uint8Array, plan: Plan): PlatformError;
}
