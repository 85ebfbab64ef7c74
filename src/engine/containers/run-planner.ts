import type { Plan } from "../../kernel/steps.ts";
import type { Endpoint } from "../../network/contract.ts";
import { resolveCgroupPath } from "../../runtime/plan/cgroup-path.ts";
import { planContainer } from "../../runtime/plan/plan-container.ts";
import { zeroTime } from "../clock.ts";
import { bindSourceKinds } from "./bind-sources.ts";
import { type ContainerRecord, initialState } from "./container-record.ts";
import { readIdentity } from "./read-identity.ts";
import type { RunFiles } from "./run-files.ts";
import type { SpecSource } from "./spec-source.ts";

/** What was acquired for a run, and what its plan is made from. */
export interface RunInputs {
  /** The mounted root on the host. */
  readonly rootDirectory: string;
  readonly endpoint: Pick<Endpoint, "netnsPath">;
  readonly files: RunFiles;
}

export interface PlannedRun {
  readonly plan: Plan;
  readonly cgroupPath: string;
}

/** Plans the runs of containers. Reads the root's users and the kinds of bind sources; changes nothing. */
export class RunPlanner {
  constructor(private readonly specs: SpecSource) {}

  /**
   * Plans a container that nobody asked for, and throws the plan away: the first plan of an engine compiles the
   * default filter and this code, which takes ten times as long as any later one.
   */
  warmUp(): void {
    const endpoint = { netnsPath: "/nonexistent" } as const;
    const files = { hosts: "/dev/null", hostname: "/dev/null", resolvConf: "/dev/null" };
    this.planRun(warmUpRecord, { rootDirectory: "/", endpoint, files });
  }

  planRun(record: ContainerRecord, { rootDirectory, endpoint, files }: RunInputs): PlannedRun {
    const { spec, origins } = this.specs.build(record, {
      rootDirectory,
      netnsPath: endpoint.netnsPath,
      files,
      identity: readIdentity(rootDirectory),
    });
    const plan = planContainer(spec, this.specs.host, {
      containerId: record.id,
      bundle: rootDirectory,
      origins,
      sourceKinds: bindSourceKinds(spec.mounts ?? []),
    });
    return { plan, cgroupPath: resolveCgroupPath(spec.linux?.cgroupsPath, record.id) };
  }
}

const warmUpRecord: ContainerRecord = {
  version: 1,
  id: "0".repeat(64),
  name: "warm-up",
  createdAt: zeroTime,
  config: { Cmd: ["true"] },
  hostConfig: {},
  imageId: `sha256:${"0".repeat(64)}`,
  imageConfig: {},
  mounts: [],
  state: initialState,
  endpoint: undefined,
  cgroupPath: undefined,
  restartCount: 0,
};
