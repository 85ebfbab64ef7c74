import { existsSync, readFileSync } from "node:fs";
import { rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemError } from "../../errors/platform-error.ts";

const attempts = 50;
const pauseMs = 20;

/** Removes the cgroups of ended containers. */
export interface CgroupRemover {
  /** In the reverse of the order in which they were made; missing ones are fine. */
  remove(paths: readonly string[]): Promise<void>;
}

export const cgroupRemover: CgroupRemover = {
  remove: async (paths) => {
    await Promise.all(paths.toReversed().map(removeCgroup));
  },
};

/** A cgroup is busy for a moment after its last process has ended; what still lives in it then is killed. */
async function removeCgroup(path: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const code = await tryRemove(path);
    if (code === undefined || code === "ENOENT") return;
    if (code !== "EBUSY") throw systemError(`remove cgroup ${path}: ${code}`);
    await killMembers(path);
    await Bun.sleep(pauseMs);
  }
  throw systemError(`remove cgroup ${path}: its processes do not end`);
}

async function tryRemove(path: string): Promise<string | undefined> {
  try {
    await rmdir(path);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

async function killMembers(path: string): Promise<void> {
  const killFile = join(path, "cgroup.kill");
  if (existsSync(killFile)) {
    await writeFile(killFile, "1").catch(() => undefined);
    return;
  }
  for (const pid of membersOf(path)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended by itself
    }
  }
}

function membersOf(path: string): number[] {
  try {
    return readFileSync(join(path, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Whether the kernel's OOM killer has ended a process of these cgroups. v2: memory.events; v1: memory.oom_control. */
export function wasOomKilled(paths: readonly string[]): boolean {
  return paths.some((path) =>
    ["memory.events", "memory.oom_control"].some((file) => oomKills(join(path, file)) > 0),
  );
}

function oomKills(file: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // another controller's hierarchy, or none at all
  }
}
