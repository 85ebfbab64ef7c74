import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { OciLinux, OciSpec } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { KernelStep, Plan } from "../../kernel/steps.ts";
import { planUnit } from "../systemd/plan-unit.ts";
import { cgroupDirectories, joinFile } from "./cgroup-path.ts";
import { placeCgroup } from "./cgroup-place.ts";
import { planCgroupV1 } from "./plan-cgroup-v1.ts";
import { planCgroupV2 } from "./plan-cgroup-v2.ts";
import { inUserNamespace, type PlanContext } from "./plan-context.ts";
import { planDevices } from "./plan-devices.ts";
import { planHooks } from "./plan-hooks.ts";
import { planIdentity } from "./plan-identity.ts";
import { planMounts } from "./plan-mounts.ts";
import { indexNamespaces, planNamespaces } from "./plan-namespaces.ts";
import { planNetDevices } from "./plan-net-devices.ts";
import type { PlanOptions } from "./plan-options.ts";
import { planPaths } from "./plan-paths.ts";
import { planConsole, planProcessSetup, planProcessStart, planWorkingDirectory } from "./plan-process.ts";
import { planRoot } from "./plan-root.ts";
import { plannedState } from "./planned-state.ts";
import type { ProcessContext } from "./process-context.ts";
import { reasonsFrom } from "./step-list.ts";

/**
 * Plans a container: every kernel step from nothing to exec of its program, each with the reason for it. Pure: reads and
 * changes nothing.
 *
 * Errors: InvalidParameter naming the field of the spec that is wrong or contradicts another;
 *         NotImplemented naming what gantry or this host cannot do.
 * Spec:   OCI Runtime Specification 1.3, "Linux Container Configuration", "Lifecycle".
 */
export function planContainer(spec: OciSpec, host: HostFacts, options: PlanOptions): Plan {
  const context = planContext(spec, host, options);
  refuseUnsupported(context.linux, context.host);
  const cgroups = cgroupDirectories(host.cgroup, context.cgroupPath);
  return {
    steps: [
      ...planCgroupUnit(context),
      ...planCgroups(context),
      ...planNamespaces(
        context,
        cgroups.map((directory) => joinFile(host.cgroup, directory)),
      ),
      ...planSetup(context),
      ...planHooks(context, ["startContainer"]),
      ...planProcessStart(processContext(context)),
    ],
  };
}

function planContext(spec: OciSpec, host: HostFacts, options: PlanOptions): PlanContext {
  const linux = spec.linux ?? {};
  const place = placeCgroup(linux.cgroupsPath, options.containerId, options.systemd);
  return {
    spec,
    linux,
    host,
    options,
    reasonOf: reasonsFrom(options.origins),
    namespaces: indexNamespaces(linux, host),
    cgroupPath: place.path,
    unit: place.unit,
  };
}

function planCgroupUnit(context: PlanContext): KernelStep[] {
  const { systemd } = context.options;
  return systemd === undefined || context.unit === undefined ? [] : planUnit(context, systemd, context.unit);
}

function planCgroups(context: PlanContext): KernelStep[] {
  const { cgroup } = context.host;
  if (cgroup.version === 1) return planCgroupV1(context, cgroup);
  if (cgroup.version === 2) return planCgroupV2(context, cgroup);
  const { devices, ...limits } = context.linux.resources ?? {};
  if (Object.keys(limits).length > 0)
    throw notImplemented("linux.resources: this host has no cgroups, so that nothing can be limited");
  return [];
}

/** From the new process to the point where `create` returns. */
function planSetup(context: PlanContext): KernelStep[] {
  const process = processContext(context);
  const root = planRoot(context);
  const mounts = planMounts(context);
  return [
    ...planProcessSetup(process),
    ...root.open,
    ...mounts.steps,
    ...planDevices(context),
    ...mounts.afterDevices,
    ...planWorkingDirectory(process),
    ...planNetDevices(context),
    ...planHooks(context, ["prestart", "createRuntime", "createContainer"]),
    ...root.pivot,
    ...planConsole(process),
    ...root.seal,
    ...planIdentity(context),
    ...planPaths(context),
  ];
}

function processContext(context: PlanContext): ProcessContext {
  const { spec, linux, host, options, reasonOf } = context;
  if (spec.process === undefined) throw invalidParameter("process: is missing");
  return {
    process: spec.process,
    host,
    options,
    seccomp: linux.seccomp,
    state: plannedState(spec, options, "created"),
    personality: linux.personality,
    memoryPolicy: linux.memoryPolicy,
    inUserNamespace: inUserNamespace(context),
    reasonOf,
  };
}

function refuseUnsupported({ intelRdt, mountLabel = "" }: OciLinux, host: HostFacts): void {
  if (intelRdt !== undefined)
    throw host.resctrl
      ? notImplemented("linux.intelRdt: groups of resctrl are not made", {
          hint: "a createRuntime hook can write the process into a group below /sys/fs/resctrl",
        })
      : notImplemented("linux.intelRdt: this kernel has no resctrl", {
          hint: "it needs CONFIG_X86_CPU_RESCTRL, and a processor with RDT; leave the field away",
        });
  if (mountLabel !== "" && !host.selinux)
    throw notImplemented(`linux.mountLabel: ${mountLabel} is asked for, but this host has no SELinux`, {
      hint: "boot a kernel with SELinux (security=selinux), or leave the label away",
    });
}
