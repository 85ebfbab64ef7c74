import { closeSync, openSync, readSync } from "node:fs";
import type { CgroupFacts } from "./cgroup-facts.ts";
import { readCgroupFile, writeCgroupFile } from "./cgroup-files.ts";
import { controllerDirectory } from "./cgroupfs.ts";
import { call } from "./syscall.ts";

/** Out-of-memory events of one cgroup, for poll(2). */
export interface OomEvents extends Disposable {
  /** Readable when there may be one. */
  readonly fd: number;
  /** Reads what made it readable. Out: whether a process was killed, or waits for memory. */
  take(): boolean;
}

const EFD_CLOEXEC = 0o2000000;
const IN_CLOEXEC = 0o2000000;
const IN_MODIFY = 2;

/** Undefined where the memory controller is missing. */
export function openOomEvents(cgroup: CgroupFacts, cgroupPath: string): OomEvents | undefined {
  const directory = controllerDirectory(cgroup, "memory", cgroupPath);
  if (directory === undefined) return undefined;
  const v1 = cgroup.version === 1;
  const fd = v1
    ? call("eventfd2", "make an eventfd", 0, EFD_CLOEXEC)
    : call("inotify_init1", "watch for memory events", IN_CLOEXEC);
  try {
    if (v1) notifyOf(directory, fd);
    else
      call(
        "inotify_add_watch",
        `watch ${directory}/memory.events`,
        fd,
        `${directory}/memory.events`,
        IN_MODIFY,
      );
    return watchKills(directory, v1, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function watchKills(directory: string, v1: boolean, fd: number): OomEvents {
  let kills = countKills(directory, v1);
  return {
    fd,
    take: () => {
      readSync(fd, Buffer.alloc(4096));
      const before = kills;
      kills = countKills(directory, v1);
      // Its removal wakes the listeners of v1 too.
      return v1 ? kills !== undefined : (kills ?? 0) > (before ?? 0);
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** cgroup-v1/memory, "OOM Control": the eventfd is told of each. */
function notifyOf(directory: string, eventFd: number): void {
  const control = openSync(`${directory}/memory.oom_control`, "r");
  try {
    writeCgroupFile(`${directory}/cgroup.event_control`, `${eventFd} ${control}`);
  } finally {
    closeSync(control);
  }
}

/** How many processes were killed in the cgroup at `directory`; 0 where there is none, or no memory controller in it. */
export const oomKills = (directory: string): number =>
  countKills(directory, false) ?? countKills(directory, true) ?? 0;

function countKills(directory: string, v1: boolean): number | undefined {
  const text = readCgroupFile(`${directory}/${v1 ? "memory.oom_control" : "memory.events"}`);
  if (text === undefined) return undefined;
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? "0");
}
