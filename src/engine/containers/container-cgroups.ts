import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";
import {
  controllerDirectory,
  freezeCgroup,
  killCgroup,
  listProcesses,
  readCgroupUsage,
  removeCgroups,
  thawCgroup,
} from "../../kernel/cgroupfs.ts";
import { cgroupDirectories } from "../../runtime/plan/cgroup-path.ts";

/** How long the kernel may take for all processes of a cgroup; one in an uninterruptible sleep may never answer. */
const patienceMs = 10_000;

/** The cgroups of containers, by the path that all hierarchies share; undefined: the container has none. */
export class ContainerCgroups {
  constructor(private readonly facts: CgroupFacts) {}

  /** Its host directories: one on v2, one in each hierarchy on v1. */
  directories(path: string | undefined): string[] {
    return path === undefined ? [] : [...cgroupDirectories(this.facts, path)];
  }

  /** Ends what still runs in it, and removes it. */
  async remove(path: string | undefined): Promise<void> {
    if (path === undefined) return;
    await killCgroup(this.facts, path, AbortSignal.timeout(patienceMs));
    await removeCgroups(this.directories(path));
  }

  /** Settles once every process stands still. */
  async freeze(path: string): Promise<void> {
    await freezeCgroup(this.facts, path, AbortSignal.timeout(patienceMs));
  }

  async thaw(path: string): Promise<void> {
    await thawCgroup(this.facts, path, AbortSignal.timeout(patienceMs));
  }

  /** Every process in it and below, by the host's pids. */
  processes(path: string): number[] {
    const directory = controllerDirectory(this.facts, "pids", path) ?? this.directories(path)[0];
    return directory === undefined ? [] : listProcesses(directory);
  }

  /** Whether the kernel has ended one of its processes for lack of memory. */
  wasOomKilled(path: string | undefined): boolean {
    return path !== undefined && (readCgroupUsage(this.facts, path).oomKills ?? 0) > 0;
  }
}
