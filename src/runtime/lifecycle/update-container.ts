import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import type { OciResources } from "../../formats/oci-runtime.ts";
import { readCgroupFile } from "../../kernel/cgroup-files.ts";
import { readCgroupUsage } from "../../kernel/cgroupfs.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { SystemdConnection } from "../../kernel/systemd/systemd-connection.ts";
import { planCgroupV1 } from "../plan/plan-cgroup-v1.ts";
import { planCgroupV2 } from "../plan/plan-cgroup-v2.ts";
import type { PlanContext } from "../plan/plan-context.ts";
import { limitProperties } from "../systemd/limit-properties.ts";
import { applyLimits, type LimitWrite } from "./apply-limits.ts";
import { containerDirectory } from "./container-directory.ts";
import { type ContainerState, readState } from "./container-state.ts";
import { hasProcess, statusOf } from "./container-status.ts";
import { withJointLimits } from "./joint-limits.ts";

/**
 * Changes limits of a container; those that `resources` does not name stay as they are.
 * Those of a unit are set there, too, so that systemd keeps them; the kernel is asked first.
 * Errors: Conflict without a process; NotImplemented for what this cgroup version has not; System for a limit that the kernel
 *         refuses, after which all are as before.
 */
export function updateContainer(root: string, id: string, asked: OciResources, host: HostFacts): void {
  const directory = containerDirectory(root, id);
  const state = readState(directory);
  if (!hasProcess(statusOf(directory, state))) throw conflict("container not running");
  const resources = withOtherHalves(state, asked);
  checkUsage(state, resources);
  const writes = planUpdate(state, resources, host);
  const putBack = applyLimits(writes);
  const { unit, facts } = state.cgroup;
  const { systemd } = state.options;
  if (unit === undefined || systemd === undefined || facts.version === 0) return;
  try {
    using connection = SystemdConnection.open(systemd.manager);
    connection.setUnitProperties(unit, limitProperties(resources, facts.version, systemd.version));
  } catch (error) {
    putBack();
    throw error;
  }
  applyLimits(writes); // systemd has written what it knows, rounded
}

/** On v1 each has a file of its own. */
function withOtherHalves({ cgroup: { facts, path } }: ContainerState, asked: OciResources): OciResources {
  if (facts.version !== 2) return asked;
  const read = (file: string) => readCgroupFile(`${facts.mountPoint}${path}/${file}`);
  return withJointLimits(asked, { cpuMax: read("cpu.max"), memoryMax: read("memory.max") });
}

/**
 * The writes of a new container with these resources, without its devices: their rules stand since its creation. Pure.
 * Errors: as the planning of the limits.
 */
export function planUpdate(
  { id, bundle, ociVersion, cgroup: { facts, path } }: ContainerState,
  { devices: _, ...resources }: OciResources,
  host: HostFacts,
): LimitWrite[] {
  const linux = { resources };
  const context: PlanContext = {
    spec: { ociVersion, linux },
    linux,
    host,
    options: { containerId: id, bundle },
    reasonOf: (pointer) => pointer.slice(1).replaceAll("/", "."),
    namespaces: new Map(),
    cgroupPath: path,
  };
  if (facts.version === 0) throw invalidParameter("this host has no cgroups, so that nothing can be limited");
  const steps = facts.version === 1 ? planCgroupV1(context, facts) : planCgroupV2(context, facts);
  return steps.flatMap((step) =>
    step.op === "write-cgroup" && !/\/devices\.[a-z]+$/.test(step.file)
      ? [{ file: step.file, value: step.value, reason: step.reason, optional: step.optional === true }]
      : [],
  );
}

/** `checkBeforeUpdate`: a limit below what is in use would kill. */
function checkUsage({ cgroup }: ContainerState, { memory = {} }: OciResources): void {
  const { limit, checkBeforeUpdate } = memory;
  if (checkBeforeUpdate !== true || limit === undefined || limit <= 0) return;
  const used = readCgroupUsage(cgroup.facts, cgroup.path).memoryBytes ?? 0;
  if (used > Number(limit))
    throw invalidParameter(
      `linux.resources.memory.limit: ${limit} is below the ${used} bytes that are in use`,
    );
}
