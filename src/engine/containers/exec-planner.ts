import type { Snapshotter } from "../../core/snapshots/contract.ts";
import type { NamespaceType, Plan } from "../../kernel/steps.ts";
import { planExec } from "../../runtime/plan/plan-exec.ts";
import { buildExecProcess } from "../spec/build-exec.ts";
import type { ExecConfig } from "../spec/docker-config.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import type { Container } from "./container.ts";
import type { ContainerCgroups } from "./container-cgroups.ts";
import { hostnameOf } from "./hostname.ts";
import { readIdentity } from "./read-identity.ts";
import type { RunFiles } from "./run-files.ts";
import type { SpecSource } from "./spec-source.ts";

/** Plans further processes of running containers. */
export class ExecPlanner {
  constructor(
    private readonly specs: SpecSource,
    private readonly snapshots: Snapshotter,
    private readonly cgroups: ContainerCgroups,
    private readonly runFiles: (containerId: string) => RunFiles,
  ) {}

  /** The container's mounted root on the host. */
  rootDirectory(container: Container): string {
    return this.snapshots.describe(container.id).merged;
  }

  plan(container: Container, exec: ExecConfig): Plan {
    const { record } = container;
    const rootDirectory = this.rootDirectory(container);
    const identity = readIdentity(rootDirectory);
    // Built again rather than kept: it costs less than a millisecond, and memory for every container otherwise.
    const { spec } = this.specs.build(record, {
      rootDirectory,
      netnsPath: record.endpoint?.netnsPath,
      files: this.runFiles(record.id),
      identity,
    });
    const { process, origins } = buildExecProcess({
      exec,
      config: mergeImageConfig(record.config, record.imageConfig),
      hostConfig: record.hostConfig,
      spec,
      hostname: hostnameOf(record),
      identity,
      host: this.specs.host,
    });
    const target = {
      containerId: record.id,
      pid: record.state.pid,
      namespaces: (spec.linux?.namespaces ?? []).map(({ type }): NamespaceType => type),
      cgroupDirectories: this.cgroups.directories(record.cgroupPath),
      seccomp: exec.Privileged === true ? undefined : spec.linux?.seccomp,
      origins,
    };
    return planExec(process, target, this.specs.host);
  }
}
