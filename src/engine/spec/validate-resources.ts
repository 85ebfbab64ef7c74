import { invalidParameter } from "../../errors/platform-error.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { cpuMask } from "../../runtime/plan/scheduling.ts";
import type { HostConfig, Resources } from "./docker-config.ts";

/** Docker's: what a program and the kernel's own bookkeeping need at least. */
const minimumMemory = 6 * 1024 * 1024;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Checks the limits of a container against each other and against the host.
 *
 * Out:    the limits without those which this host cannot keep, each of them with Docker's warning.
 * Errors: InvalidParameter in Docker's wording.
 */
export function validateResources(
  config: HostConfig,
  host: HostFacts,
): { resources: Resources; warnings: string[] } {
  const resources: Mutable<Resources> = { ...config };
  const warnings: string[] = [];
  checkMemory(resources, host, warnings);
  checkCpu(resources, host);
  checkCpuset(resources, host);
  checkPids(resources, host, warnings);
  checkBlockIo(resources, host, warnings);
  return { resources, warnings };
}

const hasController = ({ cgroup }: HostFacts, v1: string, v2 = v1): boolean =>
  cgroup.version === 1
    ? cgroup.hierarchies.some(({ controllers }) => controllers.includes(v1))
    : cgroup.version === 2 && cgroup.controllers.includes(v2);

function checkMemory(resources: Mutable<Resources>, host: HostFacts, warnings: string[]): void {
  if ((resources.Memory ?? 0) !== 0 && (resources.Memory ?? 0) < minimumMemory)
    throw invalidParameter("Minimum memory limit allowed is 6MB");
  discardMemory(resources, host, warnings);
  const { Memory = 0, MemorySwap = 0, MemoryReservation = 0 } = resources;
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory)
    throw invalidParameter("Minimum memoryswap limit should be larger than memory limit, see usage");
  if (Memory === 0 && MemorySwap > 0)
    throw invalidParameter("You should always set the Memory limit when using Memoryswap limit, see usage");
  if (MemoryReservation > 0 && MemoryReservation < minimumMemory)
    throw invalidParameter("Minimum memory reservation allowed is 6MB");
  if (Memory > 0 && Memory < MemoryReservation)
    throw invalidParameter("Minimum memory limit can not be less than memory reservation limit, see usage");
  checkSwappiness(resources, host, warnings);
  checkOomKiller(resources, host, warnings);
}

/** One warning for each limit that the kernel does not know. */
function discardMemory(resources: Mutable<Resources>, host: HostFacts, warnings: string[]): void {
  const { Memory = 0, MemorySwap = 0 } = resources;
  if (Memory === 0) return;
  if (!hasController(host, "memory")) {
    warnings.push(
      "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
    );
    resources.Memory = 0;
    resources.MemorySwap = -1;
  } else if (MemorySwap !== -1 && !hasSwap(host)) {
    warnings.push(
      "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",
    );
    resources.MemorySwap = -1;
  }
}

/** memory.memsw.* of v1, memory.swap.* of v2. */
export const hasSwap = ({ cgroup }: HostFacts): boolean => cgroup.version !== 0 && cgroup.swapAccounting;

function checkSwappiness(resources: Mutable<Resources>, host: HostFacts, warnings: string[]): void {
  const { MemorySwappiness = -1 } = resources;
  if (MemorySwappiness < -1 || MemorySwappiness > 100)
    throw invalidParameter(`Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`);
  if (MemorySwappiness === -1 || host.cgroup.version === 1) return;
  warnings.push(
    "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
  );
  resources.MemorySwappiness = -1;
}

function checkOomKiller(resources: Mutable<Resources>, host: HostFacts, warnings: string[]): void {
  if (resources.OomKillDisable !== true) return;
  if (host.cgroup.version !== 1) {
    warnings.push("Your kernel does not support OomKillDisable. OomKillDisable discarded.");
    resources.OomKillDisable = false;
  } else if ((resources.Memory ?? 0) === 0)
    warnings.push(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
}

function checkCpu(
  { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, CpuShares = 0 }: Resources,
  host: HostFacts,
): void {
  if (NanoCpus > 0 && CpuPeriod > 0)
    throw invalidParameter("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (NanoCpus > 0 && CpuQuota > 0)
    throw invalidParameter("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  // The kernel takes no quota below a millisecond: a hundredth of the period.
  if (NanoCpus < 0 || NanoCpus > host.cpuCount * 1e9 || (NanoCpus > 0 && NanoCpus < 1e7))
    throw invalidParameter(
      `Range of CPUs is from 0.01 to ${host.cpuCount}.00, as there are only ${host.cpuCount} CPUs available`,
    );
  if (CpuShares < 0)
    throw invalidParameter(`invalid CPU shares (${CpuShares}): value must be a positive integer`);
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000))
    throw invalidParameter(
      "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
    );
  if (CpuQuota > 0 && CpuQuota < 1000)
    throw invalidParameter("CPU cfs quota can not be less than 1ms (i.e. 1000)");
}

function checkCpuset({ CpusetCpus = "", CpusetMems = "" }: Resources, { cgroup }: HostFacts): void {
  if (cgroup.version === 0) return;
  if (!isSubset(CpusetCpus, cgroup.cpusetCpus, "cpuset cpus"))
    throw invalidParameter(
      `Requested CPUs are not available - requested ${CpusetCpus}, available: ${cgroup.cpusetCpus}`,
    );
  if (!isSubset(CpusetMems, cgroup.cpusetMems, "cpuset mems"))
    throw invalidParameter(
      `Requested memory nodes are not available - requested ${CpusetMems}, available: ${cgroup.cpusetMems}`,
    );
}

function isSubset(requested: string, available: string, what: string): boolean {
  if (requested === "") return true;
  const wanted = maskOf(requested, `Invalid value ${requested} for ${what}`);
  const present = maskOf(available || "0", `Invalid value ${available} for ${what}`);
  return wanted.every((byte, index) => (byte & ~(present[index] ?? 0)) === 0);
}

function maskOf(list: string, message: string): Uint8Array {
  try {
    return cpuMask(list, "");
  } catch (error) {
    throw invalidParameter(message, { cause: error });
  }
}

function checkPids(resources: Mutable<Resources>, host: HostFacts, warnings: string[]): void {
  if ((resources.PidsLimit ?? 0) <= 0 || hasController(host, "pids")) return;
  warnings.push(
    "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
  );
  resources.PidsLimit = 0;
}

function checkBlockIo(resources: Mutable<Resources>, { cgroup }: HostFacts, warnings: string[]): void {
  const { BlkioWeight = 0, BlkioWeightDevice = [] } = resources;
  if (BlkioWeight !== 0 && (BlkioWeight < 10 || BlkioWeight > 1000))
    throw invalidParameter("Range of blkio weight is from 10 to 1000");
  const weights = cgroup.version !== 0 && cgroup.weightFile !== undefined;
  if (BlkioWeight !== 0 && !weights) {
    warnings.push(
      "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
    );
    resources.BlkioWeight = 0;
  }
  if (BlkioWeightDevice.length > 0 && !weights) {
    warnings.push(
      "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
    );
    resources.BlkioWeightDevice = [];
  }
}
