import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { OciLinux, OciNamespace } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { KernelStep, NamespaceType } from "../../kernel/steps.ts";
import { type ContainerNamespaces, isNew, type PlanContext } from "./plan-context.ts";
import { planIdMaps } from "./plan-id-maps.ts";
import { StepList } from "./step-list.ts";

/**
 * Checks `linux.namespaces` and indexes them by type.
 *
 * Errors: InvalidParameter for one that is named twice or a relative path; NotImplemented where the kernel lacks one, or
 *         without a mount namespace, since all mounts would land on the host.
 * Spec:   OCI Runtime Specification, "Linux Namespaces".
 */
export function indexNamespaces(linux: OciLinux, host: HostFacts): ContainerNamespaces {
  const byType = new Map<NamespaceType, OciNamespace>();
  for (const [index, namespace] of (linux.namespaces ?? []).entries()) {
    const place = `linux.namespaces[${index}]`;
    if (byType.has(namespace.type)) throw invalidParameter(`${place}: ${namespace.type} is named twice`);
    if (!host.namespaces.includes(namespace.type))
      throw notImplemented(`${place}: this kernel has no ${namespace.type} namespaces`);
    if (namespace.path !== undefined && !namespace.path.startsWith("/"))
      throw invalidParameter(`${place}.path: ${namespace.path} is not absolute`);
    byType.set(namespace.type, namespace);
  }
  if (!byType.has("mount"))
    throw notImplemented(
      "linux.namespaces: a container without a mount namespace of its own is not supported",
    );
  return byType;
}

/**
 * The user namespace goes first: it owns the others. The rest in an order that needs nothing from a later one; mount last,
 * as the paths of the others are opened in the mount namespace of the caller.
 */
export const joinOrder: readonly NamespaceType[] = [
  "user",
  "ipc",
  "uts",
  "network",
  "pid",
  "time",
  "cgroup",
  "mount",
];

/** Plans phase `clone`: namespaces to join, namespaces to make, id maps, time offsets, cgroups. */
export function planNamespaces(context: PlanContext, joinFiles: readonly string[]): KernelStep[] {
  const { linux, namespaces, reasonOf } = context;
  const list = new StepList("clone", reasonOf);
  const pointer = (type: NamespaceType) =>
    `/linux/namespaces/${linux.namespaces?.findIndex((namespace) => namespace.type === type)}`;
  for (const type of joinOrder) {
    const path = namespaces.get(type)?.path;
    if (path !== undefined) list.add(pointer(type), { op: "join-namespace", namespace: type, path });
  }
  const made = joinOrder.filter((type) => type !== "cgroup" && isNew(namespaces, type));
  list.add("/linux/namespaces", { op: "clone", namespaces: made });
  planIdMaps(context, list);
  planTimeOffsets(context, list);
  for (const file of joinFiles) list.add("/linux/cgroupsPath", { op: "join-cgroup", file });
  if (isNew(namespaces, "cgroup")) list.add(pointer("cgroup"), { op: "unshare-cgroup" });
  return list.steps;
}

function planTimeOffsets({ linux, namespaces }: PlanContext, list: StepList): void {
  for (const clock of ["monotonic", "boottime"] as const) {
    const offset = linux.timeOffsets?.[clock];
    if (offset === undefined) continue;
    if (!isNew(namespaces, "time"))
      throw invalidParameter(`linux.timeOffsets.${clock}: needs a new time namespace`);
    list.add(`/linux/timeOffsets/${clock}`, {
      op: "write-time-offset",
      clock,
      secs: offset.secs ?? 0,
      nanosecs: offset.nanosecs ?? 0,
    });
  }
}
