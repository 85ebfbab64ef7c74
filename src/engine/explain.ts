import type { ImageStore } from "../core/images/contract.ts";
import type { Snapshotter } from "../core/snapshots/contract.ts";
import { type PlanFormat, renderPlan } from "../runtime/explain/render-plan.ts";
import { planContainer } from "../runtime/plan/plan-container.ts";
import { bindSourceKinds } from "./containers/bind-sources.ts";
import type { ContainerRecord } from "./containers/container-record.ts";
import type { ContainerStore } from "./containers/container-store.ts";
import type { CreateRequest, Creator } from "./containers/creator.ts";
import { readIdentityOfLayers } from "./containers/read-identity.ts";
import type { RunFiles } from "./containers/run-files.ts";
import type { SpecSource } from "./containers/spec-source.ts";

/** Stands for the network namespace of a container that is not running. */
const futureNamespace = "/run/gantry/netns/MADE-AT-START";

/** Says of which kernel steps a container consists, or would consist. */
export class Explainer {
  constructor(
    private readonly store: ContainerStore,
    private readonly creator: Creator,
    private readonly images: ImageStore,
    private readonly snapshots: Snapshotter,
    private readonly specs: SpecSource,
    private readonly filesOf: (containerId: string) => RunFiles,
  ) {}

  /** Of a container in any state. */
  explainContainer(reference: string, format: PlanFormat): string {
    const { record } = this.store.get(reference);
    return this.#render(record, format);
  }

  /** Of a create request: checked as create does it, and nothing is left of it. */
  async explainRequest(request: CreateRequest, format: PlanFormat): Promise<string> {
    const { record } = this.creator.draft(request);
    // The users that the image knows are read from its layers, which only a snapshot names.
    await this.snapshots.prepare(record.id, this.images.resolve(record.imageId).chainIds.at(-1), {
      volatile: true,
    });
    try {
      return this.#render(record, format);
    } finally {
      await this.snapshots.remove(record.id);
    }
  }

  #render(record: ContainerRecord, format: PlanFormat): string {
    const { merged, upper, lower } = this.snapshots.describe(record.id);
    const onHost = record.hostConfig.NetworkMode === "host";
    const { spec, origins } = this.specs.build(record, {
      rootDirectory: merged,
      netnsPath: onHost ? undefined : (record.endpoint?.netnsPath ?? futureNamespace),
      files: this.filesOf(record.id),
      identity: readIdentityOfLayers([upper, ...lower]),
    });
    const plan = planContainer(spec, this.specs.host, {
      containerId: record.id,
      bundle: merged,
      origins,
      sourceKinds: bindSourceKinds(spec.mounts ?? []),
    });
    return renderPlan(plan, format, { seccomp: spec.linux?.seccomp });
  }
}
