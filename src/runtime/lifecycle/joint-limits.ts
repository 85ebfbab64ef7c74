import type { OciCpu, OciMemory, OciResources } from "../../formats/oci-runtime.ts";

/** Files of cgroup v2 that hold two values of the specification each; undefined where the controller is missing. */
export interface JointFiles {
  readonly cpuMax: string | undefined;
  readonly memoryMax: string | undefined;
}

/**
 * Adds to an update the other half of what cgroup v2 keeps in one file, as it stands now, so that it stays: quota and period, and
 * the memory limit below a limit of memory and swap. Pure.
 *
 * Spec: kernel, Documentation/admin-guide/cgroup-v2, "cpu.max", "memory.max".
 */
export function withJointLimits(resources: OciResources, files: JointFiles): OciResources {
  const { cpu, memory } = resources;
  return {
    ...resources,
    ...(cpu !== undefined && { cpu: withQuotaAndPeriod(cpu, files.cpuMax) }),
    ...(memory !== undefined && { memory: withLimit(memory, files.memoryMax) }),
  };
}

const isGiven = (value: number | bigint | undefined): boolean => value !== undefined && BigInt(value) !== 0n;

function withQuotaAndPeriod(cpu: OciCpu, cpuMax: string | undefined): OciCpu {
  const { quota, period } = /^(?<quota>max|\d+) (?<period>\d+)$/.exec(cpuMax ?? "")?.groups ?? {};
  if (quota === undefined || period === undefined || isGiven(cpu.quota) === isGiven(cpu.period)) return cpu;
  return isGiven(cpu.quota)
    ? { ...cpu, period: Number(period) }
    : { ...cpu, quota: quota === "max" ? -1 : Number(quota) };
}

function withLimit(memory: OciMemory, memoryMax: string | undefined): OciMemory {
  const isSum = isGiven(memory.swap) && Number(memory.swap) > 0;
  if (!isSum || isGiven(memory.limit) || !/^\d+$/.test(memoryMax ?? "")) return memory;
  return { ...memory, limit: Number(memoryMax) };
}
