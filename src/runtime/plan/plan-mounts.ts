import { posix } from "node:path";
import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { OciMount } from "../../formats/oci-runtime.ts";
import type { KernelOperation, KernelStep } from "../../kernel/steps.ts";
import { withMountLabel } from "./mount-label.ts";
import { type MountOptions, mountAttribute, parseMountOptions } from "./mount-options.ts";
import { planCgroupMount } from "./plan-cgroup-mount.ts";
import type { PlanContext } from "./plan-context.ts";
import { formatIdMap } from "./plan-id-maps.ts";
import type { PlannedMount } from "./planned-mount.ts";
import { StepList } from "./step-list.ts";

/** Steps for the mounts, and those that wait until /dev is filled: a read-only tmpfs takes no new nodes. */
export interface MountPlan {
  readonly steps: readonly KernelStep[];
  readonly afterDevices: readonly KernelStep[];
}

/**
 * Plans the container's mounts, in the order of the spec; executes nothing.
 *
 * Errors: InvalidParameter for a malformed mount, naming it; NotImplemented for one that cannot be made.
 * Spec:   OCI Runtime Specification, "Mounts"; mount_setattr(2), fsopen(2), open_tree(2).
 */
export function planMounts(context: PlanContext): MountPlan {
  const list = new StepList("setup", context.reasonOf);
  const later = new StepList("setup", context.reasonOf);
  for (const [index, mount] of (context.spec.mounts ?? []).entries()) {
    const options = parseMountOptions(mount.options ?? []);
    planMount(context, { mount, index, target: targetOf(mount), options }, list, later);
  }
  return { steps: list.steps, afterDevices: later.steps };
}

/** A relative destination is meant from "/". */
function targetOf(mount: OciMount): string {
  if (mount.destination === "") throw invalidMount(mount, "has no destination");
  const normalized = posix.normalize(`/${mount.destination}`).replace(/\/+$/, "");
  if (normalized === "") throw invalidMount(mount, "covers the root of the container");
  return normalized;
}

/** Files of /proc that lxcfs and the like put in place of the kernel's. */
const replaceableProcFiles = new Set(
  ["cpuinfo", "diskstats", "loadavg", "meminfo", "slabinfo", "stat", "swaps", "uptime"]
    .concat(["sys/kernel/ns_last_pid", "sys/crypto/fips_enabled"])
    .map((name) => `/proc/${name}`),
);

/**
 * As in runc, nothing is put in place of procfs, or of its files: programs inside trust it, runtimes wrote to what lay there
 * (CVE-2019-19921, CVE-2025-52881).
 */
function checkProcTarget({ mount, target, options }: PlannedMount): void {
  if (target === "/proc") {
    const source = posix.normalize(mount.source ?? "").replace(/\/+$/, "");
    if (mount.type === "proc" || options.remount || (options.bind !== "no" && source === "/proc")) return;
    throw invalidMount(mount, "only procfs can be mounted there");
  }
  if (!target.startsWith("/proc/") || replaceableProcFiles.has(target) || mount.type === "proc") return;
  throw invalidMount(mount, "nothing can be mounted inside /proc");
}

function planMount(context: PlanContext, planned: PlannedMount, list: StepList, later: StepList): void {
  checkProcTarget(planned);
  const { type } = planned.mount;
  if (isBind(planned)) planBind(context, planned, list);
  else if (planned.options.remount) planRemount(planned, list);
  else if (type === "cgroup" || type === "cgroup2") planCgroupMount(context, planned, list);
  else planFileSystem(context, planned, list, later);
}

const isBind = ({ mount, options }: PlannedMount) => options.bind !== "no" || mount.type === "bind";

/** The super block of these says nothing about reading and writing: the mount does. */
const virtualFileSystems = new Set(
  ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "ramfs", "debugfs", "tracefs", "securityfs"].concat([
    "bpf",
    "hugetlbfs",
    "configfs",
    "fusectl",
    "binfmt_misc",
    "efivarfs",
    "pstore",
    "overlay",
  ]),
);

function planFileSystem(
  { linux }: PlanContext,
  { mount, index, target, options }: PlannedMount,
  list: StepList,
  later: StepList,
): void {
  const fstype = mount.type;
  if (fstype === undefined || fstype === "" || fstype === "none")
    throw invalidMount(mount, "has no type, and is no bind");
  if (options.idMap !== "no" || mount.uidMappings !== undefined || mount.gidMappings !== undefined)
    throw notImplemented(`mount ${mount.destination}: id mappings work for binds only`);
  if (options.copyUp && fstype !== "tmpfs") throw invalidMount(mount, "tmpcopyup is for tmpfs only");
  const pointer = `/mounts/${index}`;
  const readOnly = (options.attributes.set & mountAttribute.RDONLY) !== 0;
  // Later mounts and the devices need their targets made on it.
  const readOnlyLater = readOnly && fstype === "tmpfs";
  const data = withMountLabel(options.data, fstype, linux.mountLabel);
  const attributes = readOnlyLater ? options.attributes.set & ~mountAttribute.RDONLY : options.attributes.set;
  list.add(pointer, {
    op: "mount",
    fstype,
    source: mount.source ?? fstype,
    target,
    attributes,
    data: readOnly && !virtualFileSystems.has(fstype) ? ["ro", ...data] : data,
    ...(options.copyUp && { copyUp: true }),
  });
  if (readOnlyLater)
    later.add(pointer, {
      op: "remount",
      target,
      attributes: { set: mountAttribute.RDONLY, clear: 0 },
      recursive: false,
    });
  addRecursiveAttributes(pointer, target, options, list);
  if (options.propagation !== 0)
    list.add(pointer, { op: "set-propagation", target, flags: options.propagation });
}

function planBind(context: PlanContext, planned: PlannedMount, list: StepList): void {
  const { mount, index, target, options } = planned;
  if (mount.source === undefined || mount.source === "")
    throw invalidMount(mount, "is a bind without a source");
  if (options.data.length > 0)
    throw invalidMount(mount, `is a bind, which has no such option: ${options.data.join(",")}`);
  const pointer = `/mounts/${index}`;
  const source = posix.resolve(context.options.bundle, mount.source);
  const idMap = planIdMap(context, planned);
  const onlyRecursive = isEmpty(options.attributes) && !isEmpty(options.recursiveAttributes);
  const idMapBelow = options.idMap === "ridmap";
  list.add(pointer, {
    op: "bind",
    source,
    target,
    targetKind: context.options.sourceKinds?.get(source) ?? "directory",
    recursive: options.bind !== "bind",
    attributes: onlyRecursive ? options.recursiveAttributes : idMapBelow ? none : options.attributes,
    attributesRecursive: onlyRecursive || idMapBelow,
    propagation: options.propagation,
    ...(idMap !== undefined && { idMap }),
  });
  // An idmapped tree gets its maps recursively and its own attributes not: that takes a second step.
  if (idMapBelow && !isEmpty(options.attributes))
    list.add(pointer, { op: "remount", target, attributes: options.attributes, recursive: false });
  if (!onlyRecursive) addRecursiveAttributes(pointer, target, options, list);
}

const none = { set: 0, clear: 0 };
const isEmpty = ({ set, clear }: { set: number; clear: number }) => set === 0 && clear === 0;

function addRecursiveAttributes(
  pointer: string,
  target: string,
  options: MountOptions,
  list: StepList,
): void {
  if (isEmpty(options.recursiveAttributes)) return;
  list.add(pointer, { op: "remount", target, attributes: options.recursiveAttributes, recursive: true });
}

/** The mount's own maps, or those of the container's user namespace. */
function planIdMap({ linux }: PlanContext, { mount, options }: PlannedMount) {
  const { uidMappings, gidMappings } = mount;
  if ((uidMappings === undefined) !== (gidMappings === undefined))
    throw invalidMount(mount, "has only one of uidMappings and gidMappings");
  if (options.idMap === "no" && uidMappings === undefined) return undefined;
  const uid = uidMappings ?? linux.uidMappings ?? [];
  const gid = gidMappings ?? linux.gidMappings ?? [];
  if (uid.length === 0 || gid.length === 0)
    throw invalidMount(mount, "is to be idmapped, but neither it nor the container has id mappings");
  return {
    uid: formatIdMap(uid, `mount ${mount.destination}: uidMappings`),
    gid: formatIdMap(gid, `mount ${mount.destination}: gidMappings`),
  };
}

function planRemount({ mount, index, target, options }: PlannedMount, list: StepList): void {
  if (options.data.length > 0)
    throw notImplemented(
      `mount ${mount.destination}: remount with file system options is not supported: ${options.data.join(",")}`,
    );
  const step = (attributes: MountOptions["attributes"], recursive: boolean): KernelOperation => ({
    op: "remount",
    target,
    attributes,
    recursive,
  });
  list.add(`/mounts/${index}`, step(options.attributes, false));
  if (!isEmpty(options.recursiveAttributes))
    list.add(`/mounts/${index}`, step(options.recursiveAttributes, true));
}

const invalidMount = (mount: OciMount, problem: string) =>
  invalidParameter(`mount ${mount.destination || "without destination"}: ${problem}`);
