import type { ImageStore } from "../core/images/contract.ts";
import type { Leases } from "../core/leases/leases.ts";
import type { Snapshotter } from "../core/snapshots/contract.ts";
import { notFound, PlatformError } from "../errors/platform-error.ts";
import type { Plan } from "../kernel/steps.ts";
import { type DiffSide, diffPlans } from "../runtime/explain/diff-plans.ts";
import { type ExplainFormat, renderExplained } from "../runtime/explain/render-explained.ts";
import type { PlanFormat, RenderOptions } from "../runtime/explain/render-plan.ts";
import type { ShellOptions } from "../runtime/explain/render-shell.ts";
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
    private readonly leases: Leases,
    private readonly specs: SpecSource,
    private readonly filesOf: (containerId: string) => RunFiles,
  ) {}

  /** Of a container in any state, by name or id; otherwise of what `run` makes of an image. */
  async explain(reference: string, format: ExplainFormat): Promise<string> {
    return render(await this.#explained(reference), format);
  }

  /** Of a container in any state. */
  explainContainer(reference: string, format: ExplainFormat): string {
    return render(this.#container(reference), format);
  }

  /** Of a create request: checked as create does it, and nothing is left of it. */
  async explainRequest(request: CreateRequest, format: ExplainFormat): Promise<string> {
    return render(await this.#request(request), format);
  }

  /** The steps in which two differ, beside the ids and directories that differ between any two. */
  async diff(first: string, second: string, format: PlanFormat): Promise<string> {
    const side = async (reference: string) => ({ ...(await this.#explained(reference)), name: reference });
    return diffPlans(await side(first), await side(second), format);
  }

  async #explained(reference: string): Promise<Explained> {
    try {
      return this.#container(reference);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    try {
      return await this.#request({ name: undefined, body: { Image: reference } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      throw notFound(`No such container or image: ${reference}`, {
        hint: "`ps --all` and `images` list them",
      });
    }
  }

  #container(reference: string): Explained {
    const { record } = this.store.get(reference);
    return this.#plan(record, `Container ${record.name}`, true);
  }

  async #request(request: CreateRequest): Promise<Explained> {
    const { record } = this.creator.draft(request);
    // The users that the image knows are read from its layers, which only a snapshot names.
    return await this.leases.withLease(async (lease) => {
      lease.hold({ kind: "snapshot", name: record.id });
      const parent = this.images.resolve(record.imageId).chainIds.at(-1);
      await this.snapshots.prepare(record.id, parent, { volatile: true });
      try {
        return this.#plan(record, `A container of image ${record.config.Image}`, false);
      } finally {
        await this.snapshots.remove(record.id);
      }
    }, "explain");
  }

  /** `keepsUpper`: the writable layer is there for longer than this call. */
  #plan(record: ContainerRecord, title: string, keepsUpper: boolean): Explained {
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
    return {
      plan,
      title,
      seccomp: spec.linux?.seccomp,
      layers: keepsUpper ? [upper, ...lower] : lower,
      own: [
        [merged, "ROOT"],
        [record.endpoint?.netnsPath ?? futureNamespace, "NETWORK"],
        [record.id, "ID"],
        [record.id.slice(0, 12), "ID"],
      ],
    };
  }
}

/** A plan with all that its forms say about it. */
interface Explained extends RenderOptions, ShellOptions {
  readonly plan: Plan;
  readonly own: DiffSide["own"];
}

const render = (explained: Explained, format: ExplainFormat) =>
  renderExplained(explained.plan, format, explained);

const isNotFound = (error: unknown) => error instanceof PlatformError && error.kind === "NotFound";
