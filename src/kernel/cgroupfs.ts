import { readdirSync, rmdirSync } from "node:fs";
import { PlatformError } from "../errors/platform-error.ts";
import type { CgroupFacts } from "./cgroup-facts.ts";
import { errnoOf, fileError, readCgroupFile, writeCgroupFile } from "./cgroup-files.ts";
import { sendSignal } from "./processes.ts";

/** What a running container uses. Undefined where the controller or the cgroup is not there. */
export interface CgroupUsage {
  readonly memoryBytes: number | undefined;
  readonly pids: number | undefined;
  /** Processes which the kernel killed for lack of memory. */
  readonly oomKills: number | undefined;
}

/** The host directory of a container in the hierarchy of a controller (on v2, the only one). */
export function controllerDirectory(
  cgroup: CgroupFacts,
  controller: string,
  cgroupPath: string,
): string | undefined {
  if (cgroup.version === 0) return undefined;
  if (cgroup.version === 2) return cgroup.mountPoint + cgroupPath;
  const hierarchy = cgroup.hierarchies.find(({ controllers }) => controllers.includes(controller));
  return hierarchy === undefined ? undefined : hierarchy.mountPoint + cgroupPath;
}

/** Reads a container's usage; its own processes and those of cgroups below. */
export function readCgroupUsage(cgroup: CgroupFacts, cgroupPath: string): CgroupUsage {
  const read = (controller: string, v1File: string, v2File: string) => {
    const directory = controllerDirectory(cgroup, controller, cgroupPath);
    if (directory === undefined) return undefined;
    return readCgroupFile(`${directory}/${cgroup.version === 2 ? v2File : v1File}`);
  };
  return {
    memoryBytes: number(read("memory", "memory.usage_in_bytes", "memory.current")),
    pids: number(read("pids", "pids.current", "pids.current")),
    oomKills: number(field(read("memory", "memory.oom_control", "memory.events"), "oom_kill")),
  };
}

const number = (text: string | undefined) => (text === undefined || text === "" ? undefined : Number(text));

/** `name value` lines. */
const field = (text: string | undefined, name: string) =>
  text
    ?.split("\n")
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1);

/** Stops every process of the cgroup; settles when the kernel says that all are. */
export const freezeCgroup = (cgroup: CgroupFacts, cgroupPath: string, signal: AbortSignal): Promise<void> =>
  setFrozen(cgroup, cgroupPath, true, signal);

export const thawCgroup = (cgroup: CgroupFacts, cgroupPath: string, signal: AbortSignal): Promise<void> =>
  setFrozen(cgroup, cgroupPath, false, signal);

/**
 * Errors: NotImplemented without a freezer; Cancelled on abort: a half frozen cgroup is thawed again.
 */
async function setFrozen(
  cgroup: CgroupFacts,
  cgroupPath: string,
  frozen: boolean,
  signal: AbortSignal,
): Promise<void> {
  const directory = controllerDirectory(cgroup, "freezer", cgroupPath);
  if (directory === undefined)
    throw new PlatformError("NotImplemented", "pausing needs the cgroup freezer, which this host lacks");
  const v2 = cgroup.version === 2;
  const [file, on, off] = v2 ? ["cgroup.freeze", "1", "0"] : ["freezer.state", "FROZEN", "THAWED"];
  const isDone = () =>
    v2
      ? field(readCgroupFile(`${directory}/cgroup.events`), "frozen") === (frozen ? "1" : "0")
      : readCgroupFile(`${directory}/freezer.state`) === (frozen ? on : off);
  writeCgroupFile(`${directory}/${file}`, frozen ? on : off);
  while (!isDone()) {
    if (signal.aborted) {
      if (frozen) writeCgroupFile(`${directory}/${file}`, off);
      throw new PlatformError("Cancelled", `${frozen ? "freeze" : "thaw"} ${cgroupPath}: cancelled`);
    }
    await Bun.sleep(pollMs);
    // A v1 freezer gives up on a process that is busy in the kernel; asking again resumes.
    if (frozen && !v2) writeCgroupFile(`${directory}/${file}`, on);
  }
}

const pollMs = 2;

/** Every process in the cgroup and below it. */
export function listProcesses(directory: string): number[] {
  const own = (readCgroupFile(`${directory}/cgroup.procs`) ?? "").split("\n").filter(Boolean).map(Number);
  return [...own, ...childDirectories(directory).flatMap(listProcesses)];
}

/**
 * Kills every process of a container, also what left its pid namespace or is frozen, and waits until all are gone.
 * Errors: Cancelled on abort.
 */
export async function killCgroup(
  cgroup: CgroupFacts,
  cgroupPath: string,
  signal: AbortSignal,
): Promise<void> {
  const unified =
    cgroup.version === 2 ? cgroup.mountPoint : cgroup.version === 1 ? cgroup.unified : undefined;
  const directory =
    unified === undefined ? controllerDirectory(cgroup, "pids", cgroupPath) : unified + cgroupPath;
  if (directory === undefined) return;
  while (listProcesses(directory).length > 0) {
    if (signal.aborted) throw new PlatformError("Cancelled", `kill ${cgroupPath}: cancelled`);
    killOnce(directory);
    // A frozen v1 cgroup delivers no signal.
    if (cgroup.version === 1) thawQuietly(cgroup, cgroupPath);
    await Bun.sleep(pollMs);
  }
}

/** cgroup.kill (Linux 5.14) is one step that no fork escapes; without it, the loop catches those. */
function killOnce(directory: string): void {
  if (readCgroupFile(`${directory}/cgroup.events`) !== undefined) {
    try {
      writeCgroupFile(`${directory}/cgroup.kill`, "1");
      return;
    } catch (error) {
      if (!(error instanceof PlatformError && error.code === "errno.ENOENT")) throw error;
    }
  }
  for (const pid of listProcesses(directory)) if (pid !== 0) sendSignal(pid, SIGKILL);
}

const SIGKILL = 9;

function thawQuietly(cgroup: CgroupFacts, cgroupPath: string): void {
  const directory = controllerDirectory(cgroup, "freezer", cgroupPath);
  if (directory === undefined || (readCgroupFile(`${directory}/freezer.state`) ?? "THAWED") === "THAWED")
    return;
  writeCgroupFile(`${directory}/freezer.state`, "THAWED");
}

/**
 * Removes cgroups and what is below them; missing ones are fine. A process that has just ended may hold one for a moment, so that
 * a busy one is tried again for a second.
 * Errors: System naming the cgroup that stays busy; the others are removed all the same.
 */
export async function removeCgroups(directories: readonly string[]): Promise<void> {
  let left = directories;
  let failure: unknown;
  for (
    let waitedMs = 0, pauseMs = 1;
    left.length > 0 && waitedMs <= removeTimeoutMs;
    pauseMs = Math.min(pauseMs * 2, 50)
  ) {
    if (waitedMs > 0 || failure !== undefined) await Bun.sleep(pauseMs);
    waitedMs += pauseMs;
    left = left.filter((directory) => {
      try {
        removeTree(directory);
        return false;
      } catch (error) {
        failure = error;
        return true;
      }
    });
  }
  if (left.length > 0) throw fileError(failure, `remove cgroup ${left.join(", ")}`);
}

const removeTimeoutMs = 1000;

/** cgroupfs removes directories only; their files go with them. */
function removeTree(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return;
    // EBUSY says both: processes, or cgroups below.
    const children = childDirectories(directory);
    if (children.length === 0) throw error;
    for (const child of children) removeTree(child);
    rmdirSync(directory);
  }
}

function childDirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${directory}/${entry.name}`);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw fileError(error, `list cgroup ${directory}`);
  }
}
