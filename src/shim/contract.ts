import type { Plan } from "../kernel/steps.ts";

/** How a process in a container ended. */
export interface ExitStatus {
  /** 0-255; 128 + signal when killed. */
  readonly exitCode: number;
  /** The signal that ended it, or 0. */
  readonly signal: number;
  /** Nanoseconds since 1970. */
  readonly exitedAtNs: bigint;
}

export interface StdioOptions {
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
}

export interface LaunchRequest {
  readonly containerId: string;
  /** The shim's directory below `--state`; made by the launcher. */
  readonly directory: string;
  readonly plan: Plan;
  readonly stdio: StdioOptions;
  /** json-file log; undefined writes none. */
  readonly log: { readonly path: string; readonly maxBytes: number; readonly maxFiles: number } | undefined;
  /**
   * Called while the process is being prepared, to connect clients to its stdio: they miss nothing of it. The launch waits
   * for it, and fails with it.
   */
  readonly whilePreparing?: (attach: Attach) => Promise<void>;
}

/** Connects to the stdio of a process that exists, or is being prepared. Errors: NotFound, Unavailable. */
export type Attach = (options: AttachOptions) => Promise<AttachStream>;

export interface ExecRequest {
  readonly execId: string;
  readonly plan: Plan;
  readonly stdio: StdioOptions;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Docker's 8-byte stream frames; without it both streams are mixed raw (tty). */
  readonly framed: boolean;
}

/** A raw connection to a process's stdio; both directions with back-pressure, half-close in both. */
export type AttachStream = import("node:net").Socket;

/** A process below a shim: the container's own, or an exec'd one. */
export interface ShimProcess {
  /** In the host's pid namespace. */
  readonly pid: number;
  /** Lets the prepared process exec. Rejects with the failing step's PlatformError (see `shim/failure.ts`). */
  start(): Promise<{ startedAtNs: bigint }>;
  readonly attach: Attach;
  /** Rejects with NotFound when the process is gone. */
  signal(signal: number): Promise<void>;
  resize(rows: number, columns: number): Promise<void>;
  closeStdin(): Promise<void>;
  /** Settles when the process has ended and its last output is in the log; never rejects. Same promise every call. */
  readonly exited: Promise<ExitStatus>;
}

/** A live connection to the monitor of one container. Dropping it changes nothing for the container. */
export interface Shim {
  readonly containerId: string;
  readonly init: ShimProcess;
  /** Prepares a further process; it runs after `start`. */
  exec(request: ExecRequest): Promise<ShimProcess>;
  /** Closes the connection; the container goes on. */
  disconnect(): void;
}

export type Adoption =
  | { readonly state: "live"; readonly shim: Shim; readonly started: boolean }
  | { readonly state: "exited"; readonly status: ExitStatus }
  /** Neither a listening shim nor a status: the machine was restarted, or the shim was killed. */
  | { readonly state: "lost" };

export interface ShimLauncher {
  /**
   * Spawns a shim that prepares the container's process up to the point where `init.start()` lets it exec.
   * On failure nothing is left (directory, processes).
   * Errors: the PlatformError of the failing step, naming it, its arguments, its reason and errno.
   */
  launch(request: LaunchRequest): Promise<Shim>;
  /** Finds the shim of an earlier engine by its directory. */
  adopt(containerId: string, directory: string): Promise<Adoption>;
  /** Removes the directory of an ended shim; a missing one is fine. */
  forget(directory: string): Promise<void>;
  /** Begins to make what a launch can find ready. */
  prepare(): void;
  /** Lets go of what was prepared; launched shims go on. */
  close(): Promise<void>;
}
