import { existsSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { readCgroupFile } from "../../kernel/cgroup-files.ts";
import { controllerDirectory } from "../../kernel/cgroupfs.ts";
import { isProcessAlive } from "../../kernel/process-facts.ts";
import { noSuchContainer, tryLockDirectory } from "./container-directory.ts";
import type { ContainerState } from "./container-state.ts";
import { fifoPath } from "./exec-fifo.ts";

/** OCI Runtime Specification, "State"; `paused` is runc's. */
export type ContainerStatus = "creating" | "created" | "running" | "paused" | "stopped";

/** Asks the kernel. What a killed `create` left counts as stopped. */
export function statusOf(directory: string, state: ContainerState): ContainerStatus {
  const { init } = state;
  if (init === undefined) return isBeingCreated(directory) ? "creating" : "stopped";
  if (!isProcessAlive(init.pid, init.startTime)) return "stopped";
  if (isFrozen(state)) return "paused";
  return existsSync(fifoPath(directory)) && isWaiting(init.pid) ? "created" : "running";
}

/** Created or running: there is a process. */
export const hasProcess = (status: ContainerStatus): boolean => status !== "stopped" && status !== "creating";

function isBeingCreated(directory: string): boolean {
  try {
    const lock = tryLockDirectory(directory);
    lock?.release();
    return lock === undefined;
  } catch {
    throw noSuchContainer();
  }
}

export function isFrozen({ cgroup: { facts, path } }: ContainerState): boolean {
  const directory = controllerDirectory(facts, "freezer", path);
  if (directory === undefined) return false;
  if (facts.version === 2) return readCgroupFile(join(directory, "cgroup.freeze")) === "1";
  return ["FROZEN", "FREEZING"].includes(readCgroupFile(join(directory, "freezer.state")) ?? "");
}

/**
 * Before `start` the process still is the helper. The fifo alone would not tell: a `start` that is killed leaves it.
 * Without the right to look, it has to do.
 */
function isWaiting(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).includes("gantry-helper");
  } catch {
    return true;
  }
}
