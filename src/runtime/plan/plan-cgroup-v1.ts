import { invalidParameter } from "../../errors/platform-error.ts";
import type { Integer64, OciBlockIo, OciResources } from "../../formats/oci-runtime.ts";
import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import { cgroupDirectories, pathAndParents } from "./cgroup-path.ts";
import { missingController, notOnThisVersion, orWord } from "./cgroup-values.ts";
import { formatException, resolveDeviceRules } from "./device-rules.ts";
import { inUserNamespace, type PlanContext } from "./plan-context.ts";
import { StepList } from "./step-list.ts";

type VersionOne = Extract<CgroupFacts, { version: 1 }>;

/** Writes into the container's directory of the hierarchy that has `controller`. */
type Write = (field: string, controller: string, file: string, value: string, optional?: boolean) => void;

/**
 * Plans the container's directory in each hierarchy and the limits in them.
 *
 * Errors: NotImplemented for a limit whose controller is not mounted, or that v1 does not have.
 * Spec:   OCI Runtime Specification, "Control groups"; kernel, Documentation/admin-guide/cgroup-v1.
 */
export function planCgroupV1(context: PlanContext, cgroup: VersionOne): KernelStep[] {
  const list = new StepList("host", context.reasonOf);
  for (const path of cgroupDirectories(cgroup, context.cgroupPath))
    list.add("/linux/cgroupsPath", {
      op: "make-cgroup",
      path,
      ...(context.unit !== undefined && { mayExist: true }),
    });
  const resources = context.linux.resources ?? {};
  planCpuset(context, cgroup, list);
  const write: Write = (field, controller, file, value, optional) => {
    const hierarchy = cgroup.hierarchies.find(({ controllers }) => controllers.includes(controller));
    if (hierarchy === undefined) throw missingController(field, controller);
    list.add(`/linux/resources/${field.replaceAll(".", "/")}`, {
      op: "write-cgroup",
      file: `${hierarchy.mountPoint}${context.cgroupPath}/${file}`,
      value,
      ...(optional === true && { optional }),
    });
  };
  planMemory(resources, cgroup, write);
  planCpu(resources, write);
  planPids(resources, write);
  planBlockIo(resources.blockIO ?? {}, cgroup, write);
  planOthers(resources, write);
  planDevices(context, cgroup, list);
  return list.steps;
}

/** A process can join a cpuset only when it has processors and nodes, and only those which its parent has. */
function planCpuset({ linux, cgroupPath }: PlanContext, cgroup: VersionOne, list: StepList): void {
  const mountPoint = cgroup.hierarchies.find(({ controllers }) => controllers.includes("cpuset"))?.mountPoint;
  if (mountPoint === undefined) return;
  const { cpus = "", mems = "" } = linux.resources?.cpu ?? {};
  for (const path of pathAndParents(cgroupPath)) {
    if (path === cgroupPath && cpus !== "" && mems !== "") break;
    list.add("/linux/cgroupsPath", { op: "inherit-cpuset", path: mountPoint + path });
  }
}

const given = (value: Integer64 | undefined): value is Integer64 =>
  value !== undefined && BigInt(value) !== 0n;

function planMemory({ memory = {} }: OciResources, cgroup: VersionOne, write: Write): void {
  const set = (field: string, file: string, value: Integer64 | undefined) => {
    if (given(value)) write(`memory.${field}`, "memory", file, String(value));
  };
  if (given(memory.kernel)) throw notOnThisVersion("memory.kernel", 1);
  if (given(memory.swap) && memory.swap > 0 && given(memory.limit) && memory.swap < memory.limit)
    throw invalidParameter(
      `linux.resources.memory.swap: ${memory.swap} is smaller than the memory limit ${memory.limit}, which is a part of it`,
    );
  set("limit", "memory.limit_in_bytes", memory.limit);
  // Unlimited memory inside a limited sum would be refused.
  const swap = memory.limit === -1 && !given(memory.swap) ? -1 : memory.swap;
  if (given(swap) && (cgroup.swapAccounting || swap > 0))
    write("memory.swap", "memory", "memory.memsw.limit_in_bytes", String(swap));
  set("reservation", "memory.soft_limit_in_bytes", memory.reservation);
  set("kernelTCP", "memory.kmem.tcp.limit_in_bytes", memory.kernelTCP);
  if (memory.swappiness !== undefined)
    write("memory.swappiness", "memory", "memory.swappiness", String(memory.swappiness));
  if (memory.useHierarchy === true) write("memory.useHierarchy", "memory", "memory.use_hierarchy", "1");
  if (memory.disableOOMKiller === true) write("memory.disableOOMKiller", "memory", "memory.oom_control", "1");
}

function planCpu({ cpu = {} }: OciResources, write: Write): void {
  if (given(cpu.shares)) write("cpu.shares", "cpu", "cpu.shares", String(cpu.shares));
  if (given(cpu.period)) write("cpu.period", "cpu", "cpu.cfs_period_us", String(cpu.period));
  if (given(cpu.quota)) write("cpu.quota", "cpu", "cpu.cfs_quota_us", String(cpu.quota));
  if (given(cpu.burst)) write("cpu.burst", "cpu", "cpu.cfs_burst_us", String(cpu.burst));
  if (given(cpu.realtimePeriod))
    write("cpu.realtimePeriod", "cpu", "cpu.rt_period_us", String(cpu.realtimePeriod));
  if (given(cpu.realtimeRuntime))
    write("cpu.realtimeRuntime", "cpu", "cpu.rt_runtime_us", String(cpu.realtimeRuntime));
  if (cpu.idle !== undefined) write("cpu.idle", "cpu", "cpu.idle", String(cpu.idle));
  if (cpu.cpus !== undefined && cpu.cpus !== "") write("cpu.cpus", "cpuset", "cpuset.cpus", cpu.cpus);
  if (cpu.mems !== undefined && cpu.mems !== "") write("cpu.mems", "cpuset", "cpuset.mems", cpu.mems);
}

function planPids({ pids }: OciResources, write: Write): void {
  if (pids?.limit !== undefined) write("pids.limit", "pids", "pids.max", orWord(pids.limit, "max"));
}

function planBlockIo(blockIO: OciBlockIo, cgroup: VersionOne, write: Write): void {
  const { weight, weightDevice = [] } = blockIO;
  if (blockIO.leafWeight !== undefined) throw notOnThisVersion("blockIO.leafWeight", 1);
  if (given(weight) || weightDevice.length > 0) {
    if (cgroup.weightFile === undefined) throw missingController("blockIO.weight", "blkio (weights)");
    if (given(weight)) write("blockIO.weight", "blkio", cgroup.weightFile, String(weight));
  }
  for (const [index, { major, minor, weight, leafWeight }] of weightDevice.entries()) {
    const field = `blockIO.weightDevice.${index}`;
    if (leafWeight !== undefined) throw notOnThisVersion(`${field}.leafWeight`, 1);
    if (weight !== undefined)
      write(field, "blkio", `${cgroup.weightFile}_device`, `${major}:${minor} ${weight}`);
  }
  for (const [field, file] of throttleFiles)
    for (const [index, { major, minor, rate }] of (blockIO[field] ?? []).entries())
      write(`blockIO.${field}.${index}`, "blkio", file, `${major}:${minor} ${rate}`);
}

const throttleFiles = [
  ["throttleReadBpsDevice", "blkio.throttle.read_bps_device"],
  ["throttleWriteBpsDevice", "blkio.throttle.write_bps_device"],
  ["throttleReadIOPSDevice", "blkio.throttle.read_iops_device"],
  ["throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"],
] as const;

function planOthers(resources: OciResources, write: Write): void {
  for (const [index, { pageSize, limit }] of (resources.hugepageLimits ?? []).entries()) {
    const field = `hugepageLimits.${index}`;
    write(field, "hugetlb", `hugetlb.${pageSize}.limit_in_bytes`, String(limit));
    // Since Linux 5.7 reservations are counted apart.
    write(field, "hugetlb", `hugetlb.${pageSize}.rsvd.limit_in_bytes`, String(limit), true);
  }
  const { classID, priorities = [] } = resources.network ?? {};
  if (classID !== undefined) write("network.classID", "net_cls", "net_cls.classid", String(classID));
  for (const { name, priority } of priorities)
    write("network.priorities", "net_prio", "net_prio.ifpriomap", `${name} ${priority}`);
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(resources.rdma ?? {}))
    write(`rdma.${device}`, "rdma", "rdma.max", rdmaLine(device, hcaHandles, hcaObjects));
  if (Object.keys(resources.unified ?? {}).length > 0) throw notOnThisVersion("unified", 1);
}

export function rdmaLine(
  device: string,
  hcaHandles: number | undefined,
  hcaObjects: number | undefined,
): string {
  const handles = hcaHandles === undefined ? "" : ` hca_handle=${hcaHandles}`;
  const objects = hcaObjects === undefined ? "" : ` hca_object=${hcaObjects}`;
  return `${device}${handles}${objects}`;
}

/** Inside a user namespace devices.* cannot be written, and mknod is impossible anyway. */
function planDevices(context: PlanContext, cgroup: VersionOne, list: StepList): void {
  if (inUserNamespace(context)) return;
  const hierarchy = cgroup.hierarchies.find(({ controllers }) => controllers.includes("devices"));
  if (hierarchy === undefined) throw missingController("devices", "devices");
  const directory = hierarchy.mountPoint + context.cgroupPath;
  const rules = resolveDeviceRules(context.linux.resources?.devices ?? []);
  const [everything, exception] = rules.defaultAllow ? ["allow", "deny"] : ["deny", "allow"];
  const write = (pointer: string | undefined, word: string, value: string) => {
    const operation = { op: "write-cgroup", file: `${directory}/devices.${word}`, value } as const;
    if (pointer === undefined) list.addBecause("every container", operation);
    else list.add(pointer, operation);
  };
  write(rules.defaultPointer, everything ?? "deny", "a");
  for (const rule of rules.exceptions) write(rule.pointer, exception ?? "allow", formatException(rule));
}
