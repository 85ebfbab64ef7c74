import type { OciMemoryPolicy, OciPersonality, OciProcess, OciSeccomp } from "../../formats/oci-runtime.ts";
import { type HostFacts, namespaceFile } from "../../kernel/host-facts.ts";
import type { NamespaceType, Plan } from "../../kernel/steps.ts";
import { joinFile } from "./cgroup-path.ts";
import { joinOrder } from "./plan-namespaces.ts";
import type { Origins } from "./plan-options.ts";
import { planConsole, planProcessSetup, planProcessStart } from "./plan-process.ts";
import type { PlannedState } from "./planned-state.ts";
import type { ProcessContext } from "./process-context.ts";
import { cpuMask } from "./scheduling.ts";
import { reasonsFrom, StepList } from "./step-list.ts";

/** The running container that a further process joins. */
export interface ExecTarget {
  readonly containerId: string;
  /** Of its first process, in the namespace of the caller. */
  readonly pid: number;
  /** Those which it does not share with the host: `linux.namespaces` of its spec. */
  readonly namespaces: readonly NamespaceType[];
  /** Its own directories: `cgroupDirectories()`. */
  readonly cgroupDirectories: readonly string[];
  readonly seccomp: OciSeccomp | undefined;
  /** For the agent of a seccomp listener; without it there can be none. */
  readonly state?: PlannedState;
  /** The container's own: what its first process got, the others get too. */
  readonly personality?: OciPersonality | undefined;
  readonly memoryPolicy?: OciMemoryPolicy | undefined;
  readonly origins?: Origins;
  readonly preserveFds?: number;
}

/**
 * Plans a further process in a running container: it joins namespaces and cgroups, mounts nothing, and becomes as restricted
 * as `process` says.
 *
 * Errors: InvalidParameter and NotImplemented naming the field of the process.
 */
export function planExec(process: OciProcess, target: ExecTarget, host: HostFacts): Plan {
  const reasonOf = reasonsFrom(target.origins);
  const context: ProcessContext = {
    process,
    host,
    options: { containerId: target.containerId, preserveFds: target.preserveFds ?? 0 },
    seccomp: target.seccomp,
    state: target.state,
    personality: target.personality,
    memoryPolicy: target.memoryPolicy,
    inUserNamespace: target.namespaces.includes("user") || host.inUserNamespace,
    reasonOf,
  };
  return {
    steps: [
      ...planJoin(target, host),
      ...planProcessSetup(context),
      ...planConsole(context),
      ...planAffinity(context),
      ...planProcessStart(context),
    ],
  };
}

function planJoin({ containerId, pid, namespaces, cgroupDirectories }: ExecTarget, { cgroup }: HostFacts) {
  const reason = `container ${containerId}`;
  const list = new StepList("clone", () => reason);
  for (const namespace of joinOrder)
    if (namespaces.includes(namespace))
      list.addBecause(reason, {
        op: "join-namespace",
        namespace,
        path: `/proc/${pid}/ns/${namespaceFile(namespace)}`,
      });
  // A process enters a pid namespace only by being born in it.
  list.addBecause(reason, { op: "clone", namespaces: [] });
  for (const directory of cgroupDirectories)
    list.addBecause(reason, { op: "join-cgroup", file: joinFile(cgroup, directory) });
  return list.steps;
}

/** `initial` is for the time before the process is in its cgroup, which is over when it could be set here. */
function planAffinity({ process, reasonOf }: ProcessContext) {
  const list = new StepList("start", reasonOf);
  const { initial, final } = process.execCPUAffinity ?? {};
  if (initial !== undefined && initial !== "") cpuMask(initial, "process.execCPUAffinity.initial");
  const cpus = final === undefined || final === "" ? initial : final;
  if (cpus !== undefined && cpus !== "")
    list.add("/process/execCPUAffinity", {
      op: "set-cpu-affinity",
      mask: cpuMask(cpus, "process.execCPUAffinity.final"),
    });
  return list.steps;
}
