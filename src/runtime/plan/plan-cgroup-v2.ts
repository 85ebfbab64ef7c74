import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { Integer64, OciBlockIo, OciResources } from "../../formats/oci-runtime.ts";
import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import { pathAndParents } from "./cgroup-path.ts";
import {
  cpuWeight,
  ioWeight,
  missingController,
  notOnThisVersion,
  orWord,
  swapOnly,
} from "./cgroup-values.ts";
import { emitDeviceFilter } from "./device-filter.ts";
import { resolveDeviceRules } from "./device-rules.ts";
import { rdmaLine } from "./plan-cgroup-v1.ts";
import { inUserNamespace, type PlanContext } from "./plan-context.ts";
import { StepList } from "./step-list.ts";

type VersionTwo = Extract<CgroupFacts, { version: 2 }>;

/** Writes into the container's directory; the file's name begins with its controller. */
type Write = (field: string, file: string, value: string, optional?: boolean) => void;

const delegated = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"];
/** What systemd enables itself, for a unit that is delegated. */
const ofSystemd = ["cpuset", "cpu", "io", "memory", "pids"];

/**
 * Plans the container's directory, the controllers of all directories above it, its limits and its device filter.
 *
 * Errors: NotImplemented for a limit whose controller is missing, or that v2 does not have.
 * Spec:   OCI Runtime Specification, "Control groups"; kernel, Documentation/admin-guide/cgroup-v2.
 */
export function planCgroupV2(context: PlanContext, cgroup: VersionTwo): KernelStep[] {
  const list = new StepList("host", context.reasonOf);
  const directory = cgroup.mountPoint + context.cgroupPath;
  planDirectories(context, cgroup, list);
  const write: Write = (field, file, value, optional) => {
    const controller = file.slice(0, file.indexOf("."));
    if (controller !== "cgroup" && !cgroup.controllers.includes(controller))
      throw missingController(field, controller);
    list.add(`/linux/resources/${field.replaceAll(".", "/")}`, {
      op: "write-cgroup",
      file: `${directory}/${file}`,
      value,
      ...(optional === true && { optional }),
    });
  };
  const resources = context.linux.resources ?? {};
  planMemory(resources, cgroup, write);
  planCpu(resources, write);
  if (resources.pids?.limit !== undefined)
    write("pids.limit", "pids.max", orWord(resources.pids.limit, "max"));
  planBlockIo(resources.blockIO ?? {}, cgroup, write);
  planOthers(resources, write);
  planUnified(resources, cgroup, directory, list);
  planDevices(context, directory, list);
  return list.steps;
}

function planDirectories({ cgroupPath, unit }: PlanContext, cgroup: VersionTwo, list: StepList): void {
  const controllers = delegated.filter(
    (name) => cgroup.controllers.includes(name) && !(unit !== undefined && ofSystemd.includes(name)),
  );
  let parent = cgroup.mountPoint;
  for (const path of pathAndParents(cgroupPath)) {
    if (controllers.length > 0)
      list.add("/linux/cgroupsPath", { op: "enable-controllers", path: parent, controllers });
    parent = cgroup.mountPoint + path;
    if (unit === undefined) list.add("/linux/cgroupsPath", { op: "make-cgroup", path: parent });
  }
}

const given = (value: Integer64 | undefined): value is Integer64 =>
  value !== undefined && BigInt(value) !== 0n;

function planMemory({ memory = {} }: OciResources, cgroup: VersionTwo, write: Write): void {
  if (given(memory.kernel)) throw notOnThisVersion("memory.kernel", 2);
  if (given(memory.kernelTCP)) throw notOnThisVersion("memory.kernelTCP", 2);
  if (memory.swappiness !== undefined) throw notOnThisVersion("memory.swappiness", 2);
  if (memory.disableOOMKiller === true) throw notOnThisVersion("memory.disableOOMKiller", 2);
  if (memory.useHierarchy === false) throw notOnThisVersion("memory.useHierarchy", 2);
  if (given(memory.limit)) write("memory.limit", "memory.max", orWord(memory.limit, "max"));
  if (given(memory.reservation)) write("memory.reservation", "memory.low", orWord(memory.reservation, "max"));
  const swap = swapOnly(memory);
  if (swap === undefined) return;
  if (!cgroup.swapAccounting && swap !== "max")
    throw notImplemented("linux.resources.memory.swap: this kernel does not account swap");
  write("memory.swap", "memory.swap.max", swap, swap === "max");
}

function planCpu({ cpu = {} }: OciResources, write: Write): void {
  if (given(cpu.realtimePeriod)) throw notOnThisVersion("cpu.realtimePeriod", 2);
  if (given(cpu.realtimeRuntime)) throw notOnThisVersion("cpu.realtimeRuntime", 2);
  if (cpu.idle !== undefined) write("cpu.idle", "cpu.idle", String(cpu.idle));
  // An idle cgroup has no weight: the kernel refuses one.
  if (given(cpu.shares) && !given(cpu.idle)) write("cpu.shares", "cpu.weight", String(cpuWeight(cpu.shares)));
  if (given(cpu.quota) || given(cpu.period)) {
    const quota = given(cpu.quota) ? orWord(cpu.quota, "max") : "max";
    write(given(cpu.quota) ? "cpu.quota" : "cpu.period", "cpu.max", `${quota} ${cpu.period ?? 100_000}`);
  }
  if (given(cpu.burst)) write("cpu.burst", "cpu.max.burst", String(cpu.burst));
  if (cpu.cpus !== undefined && cpu.cpus !== "") write("cpu.cpus", "cpuset.cpus", cpu.cpus);
  if (cpu.mems !== undefined && cpu.mems !== "") write("cpu.mems", "cpuset.mems", cpu.mems);
}

function planBlockIo(blockIO: OciBlockIo, cgroup: VersionTwo, write: Write): void {
  const { weight, weightDevice = [] } = blockIO;
  if (blockIO.leafWeight !== undefined) throw notOnThisVersion("blockIO.leafWeight", 2);
  const file = cgroup.weightFile;
  if ((given(weight) || weightDevice.length > 0) && file === undefined)
    throw missingController("blockIO.weight", "io (weights)");
  const scaled = (value: number) => (file === "io.weight" ? ioWeight(value) : value);
  if (given(weight) && file !== undefined) write("blockIO.weight", file, String(scaled(weight)));
  for (const [index, { major, minor, weight, leafWeight }] of weightDevice.entries()) {
    const field = `blockIO.weightDevice.${index}`;
    if (leafWeight !== undefined) throw notOnThisVersion(`${field}.leafWeight`, 2);
    if (weight !== undefined && file !== undefined) write(field, file, `${major}:${minor} ${scaled(weight)}`);
  }
  for (const [field, key] of throttleKeys)
    for (const [index, { major, minor, rate }] of (blockIO[field] ?? []).entries())
      write(`blockIO.${field}.${index}`, "io.max", `${major}:${minor} ${key}=${rate}`);
}

const throttleKeys = [
  ["throttleReadBpsDevice", "rbps"],
  ["throttleWriteBpsDevice", "wbps"],
  ["throttleReadIOPSDevice", "riops"],
  ["throttleWriteIOPSDevice", "wiops"],
] as const;

function planOthers(resources: OciResources, write: Write): void {
  for (const [index, { pageSize, limit }] of (resources.hugepageLimits ?? []).entries()) {
    write(`hugepageLimits.${index}`, `hugetlb.${pageSize}.max`, String(limit));
    write(`hugepageLimits.${index}`, `hugetlb.${pageSize}.rsvd.max`, String(limit), true);
  }
  if (resources.network?.classID !== undefined) throw notOnThisVersion("network.classID", 2);
  if ((resources.network?.priorities ?? []).length > 0) throw notOnThisVersion("network.priorities", 2);
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(resources.rdma ?? {}))
    write(`rdma.${device}`, "rdma.max", rdmaLine(device, hcaHandles, hcaObjects));
}

/** Written last: what the user names by the kernel's own word wins. */
function planUnified(
  { unified = {} }: OciResources,
  cgroup: VersionTwo,
  directory: string,
  list: StepList,
): void {
  for (const [file, value] of Object.entries(unified)) {
    const [controller = "", rest] = file.split(".", 2);
    if (rest === undefined || file.includes("/"))
      throw invalidParameter(`linux.resources.unified: ${file} is no file name of a cgroup`);
    if (controller !== "cgroup" && !cgroup.controllers.includes(controller))
      throw missingController(`unified.${file}`, controller);
    for (const line of value.split("\n").filter(Boolean))
      list.add("/linux/resources/unified", { op: "write-cgroup", file: `${directory}/${file}`, value: line });
  }
}

/** A process without privileges cannot load one, and in a user namespace mknod is impossible anyway. */
function planDevices(context: PlanContext, directory: string, list: StepList): void {
  if (inUserNamespace(context)) return;
  const access = resolveDeviceRules(context.linux.resources?.devices ?? []);
  if (access.defaultAllow && access.exceptions.length === 0) return;
  list.add("/linux/resources/devices", {
    op: "attach-device-filter",
    path: directory,
    program: emitDeviceFilter(access),
  });
}
