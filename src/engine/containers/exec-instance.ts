import type { ShimProcess } from "../../shim/contract.ts";

/** The body of `POST /containers/{id}/exec`. engine-api.yaml, ExecConfig. */
export interface ExecConfig {
  readonly User?: string;
  readonly Privileged?: boolean;
  readonly Tty?: boolean;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly DetachKeys?: string;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly Cmd?: readonly string[] | null;
  readonly ConsoleSize?: readonly [height: number, width: number] | null;
}

/** One further process in a container, from its creation until a while after its end. Lives in memory only. */
export interface ExecInstance {
  /** 64 hex digits. */
  readonly id: string;
  readonly containerId: string;
  readonly config: ExecConfig;
  /** Started once, successfully or not. */
  started: boolean;
  process: ShimProcess | undefined;
  exitCode: number | undefined;
}

export const isExecRunning = (exec: ExecInstance): boolean =>
  exec.process !== undefined && exec.exitCode === undefined;

