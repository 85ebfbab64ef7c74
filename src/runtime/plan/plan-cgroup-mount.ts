import { posix } from "node:path";
import { notImplemented } from "../../errors/platform-error.ts";
import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";
import { withMountLabel } from "./mount-label.ts";
import { mountAttribute } from "./mount-options.ts";
import type { PlanContext } from "./plan-context.ts";
import type { PlannedMount } from "./planned-mount.ts";
import type { StepList } from "./step-list.ts";

/**
 * Plans what a mount of type cgroup means on this host: on v2 one cgroup2 file system; on v1 a tmpfs, the container's own
 * directory of each hierarchy bound into it, and links for the controllers of a shared hierarchy.
 *
 * Errors: NotImplemented on a host without cgroups, or for cgroup2 where v1 has the controllers.
 */
export function planCgroupMount(context: PlanContext, planned: PlannedMount, list: StepList): void {
  const { cgroup } = context.host;
  const { destination, type } = planned.mount;
  if (cgroup.version === 0) throw notImplemented(`mount ${destination}: this host has no cgroups`);
  if (cgroup.version === 1 && type === "cgroup2")
    throw notImplemented(`mount ${destination}: this host has cgroup v1`);
  if (cgroup.version === 1) planVersionOne(context, planned, cgroup, list);
  else planVersionTwo(planned, list);
}

function planVersionTwo({ index, target, options }: PlannedMount, list: StepList): void {
  const pointer = `/mounts/${index}`;
  const attributes = options.attributes.set;
  list.add(pointer, { op: "mount", fstype: "cgroup2", source: "cgroup", target, attributes, data: [] });
  if (options.propagation !== 0)
    list.add(pointer, { op: "set-propagation", target, flags: options.propagation });
}

function planVersionOne(
  { cgroupPath, linux }: PlanContext,
  { index, target, options }: PlannedMount,
  cgroup: Extract<CgroupFacts, { version: 1 }>,
  list: StepList,
): void {
  const pointer = `/mounts/${index}`;
  const { RDONLY } = mountAttribute;
  list.add(pointer, {
    op: "mount",
    fstype: "tmpfs",
    source: "tmpfs",
    target,
    attributes: options.attributes.set & ~RDONLY,
    data: withMountLabel(["mode=755"], "tmpfs", linux.mountLabel),
  });
  for (const { controllers, mountPoint } of cgroup.hierarchies) {
    const name = posix.basename(mountPoint);
    list.add(pointer, {
      op: "bind",
      source: mountPoint + cgroupPath,
      target: `${target}/${name}`,
      targetKind: "directory",
      recursive: false,
      attributes: { set: options.attributes.set, clear: 0 },
      attributesRecursive: false,
      propagation: options.propagation,
    });
    for (const controller of controllers)
      if (controller !== name && !controller.startsWith("name="))
        list.add(pointer, { op: "symlink", path: `${target}/${controller}`, to: name });
  }
  if (options.attributes.set & RDONLY)
    list.add(pointer, { op: "remount", target, attributes: { set: RDONLY, clear: 0 }, recursive: false });
}
