import type { ShimProcess } from "../../shim/contract.ts";
import type { ExecConfig } from "../spec/docker-config.ts";

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
