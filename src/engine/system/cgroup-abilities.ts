import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";

/** Which limits this machine can hold: the booleans of SystemInfo. */
export function cgroupAbilities(cgroup: CgroupFacts): object {
  const controllers = controllersOf(cgroup);
  const has = (name: string): boolean => controllers.has(name);
  return {
    MemoryLimit: has("memory"),
    SwapLimit: cgroup.version !== 0 && cgroup.swapAccounting,
    CpuCfsPeriod: has("cpu"),
    CpuCfsQuota: has("cpu"),
    CPUShares: has("cpu"),
    CPUSet: has("cpuset"),
    PidsLimit: has("pids"),
  };
}

function controllersOf(cgroup: CgroupFacts): Set<string> {
  if (cgroup.version === 0) return new Set();
  if (cgroup.version === 2) return new Set(cgroup.controllers);
  return new Set(cgroup.hierarchies.flatMap((hierarchy) => hierarchy.controllers));
}
