import type { KernelStep } from "../../kernel/steps.ts";
import type { SystemdFacts } from "../../kernel/systemd/service-manager.ts";
import { resolveDeviceRules } from "../plan/device-rules.ts";
import { inUserNamespace, type PlanContext } from "../plan/plan-context.ts";
import { StepList } from "../plan/step-list.ts";
import { annotationProperties } from "./annotation-properties.ts";
import { deviceProperties } from "./device-properties.ts";
import { limitProperties } from "./limit-properties.ts";
import { PropertyList } from "./property-list.ts";
import { isSlice, type UnitPlace } from "./unit-place.ts";

/**
 * Plans the unit which systemd makes the container's cgroup for. It comes before all other steps of cgroups: what systemd cannot
 * set, or rounds, is written behind it.
 *
 * Errors: InvalidParameter for a malformed limit, device rule or annotation.
 * Spec:   systemd, "Control Group APIs and Delegation"; org.freedesktop.systemd1(5), "StartTransientUnit()".
 */
export function planUnit(context: PlanContext, systemd: SystemdFacts, place: UnitPlace): KernelStep[] {
  const { host, linux, options, spec } = context;
  if (host.cgroup.version === 0) return [];
  const list = new PropertyList();
  addIdentity(list, place, options.containerId);
  addAccounting(list, host.cgroup.version);
  const resources = linux.resources ?? {};
  const { properties } = list;
  if (!inUserNamespace(context))
    properties.push(...deviceProperties(resolveDeviceRules(resources.devices ?? []), systemd.deviceGroups));
  properties.push(
    ...limitProperties(resources, host.cgroup.version, systemd.version),
    ...annotationProperties(spec.annotations ?? {}),
  );
  const steps = new StepList("host", context.reasonOf);
  steps.add("/linux/cgroupsPath", {
    op: "start-unit",
    manager: systemd.manager,
    unit: place.unit,
    properties,
  });
  return steps.steps;
}

/** A slice is no place for processes of its own, so that there is nothing to delegate. */
function addIdentity(list: PropertyList, { unit, slice }: UnitPlace, containerId: string): void {
  list.set("Description", "s", `gantry container ${containerId}`);
  if (isSlice(unit)) list.set("Wants", "as", [slice]);
  else list.set("Slice", "s", slice).set("Delegate", "b", true);
  // It is started for whoever calls, not in the order of a boot; and a failed one is not kept.
  list.set("DefaultDependencies", "b", false).set("CollectMode", "s", "inactive-or-failed");
}

/** All of them, as without limits: a process cannot be moved to a controller that is enabled later. */
function addAccounting(list: PropertyList, version: 1 | 2): void {
  const io = version === 1 ? "BlockIOAccounting" : "IOAccounting";
  for (const name of ["CPUAccounting", io, "MemoryAccounting", "TasksAccounting"]) list.set(name, "b", true);
}
