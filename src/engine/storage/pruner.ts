import type { Collector } from "../../core/gc/collector.ts";
import type { CollectionPlan, StoredObject } from "../../core/gc/contract.ts";
import { keyOf } from "../../core/gc/plan-collection.ts";
import type { Image, RemovedReference } from "../../core/images/contract.ts";
import { conflict, PlatformError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import { nowNs } from "../clock.ts";
import type { Container } from "../containers/container.ts";
import type { ContainerSizer } from "../containers/container-sizer.ts";
import type { ContainerStore } from "../containers/container-store.ts";
import type { Remover } from "../containers/remover.ts";
import type { EventBus } from "../events/event-bus.ts";
import type { Filters } from "../filters.ts";
import type { ImageService } from "../images/image-service.ts";
import { isPartial, prunableContainers, prunableImages } from "./select-prunable.ts";

/** What is to be pruned: undefined leaves it alone. */
export interface PruneRequest {
  readonly containers?: Filters;
  readonly images?: Filters;
}

export interface PrunePlan {
  readonly containers: readonly Container[];
  readonly images: readonly Image[];
  /** Everything on disk that goes with them; with images also what nobody needed before. */
  readonly objects: CollectionPlan;
}

/** Removes what nobody uses. `plan` changes nothing, and says what `prune` would do at this moment. */
export class Pruner {
  readonly #running = new Set<string>();

  constructor(
    private readonly containers: ContainerStore,
    private readonly sizer: ContainerSizer,
    private readonly remover: Remover,
    private readonly images: ImageService,
    private readonly collector: Collector,
    private readonly bus: EventBus,
  ) {}

  /** Errors: InvalidParameter for unknown filters; Conflict when nobody can tell what is garbage. */
  async plan(request: PruneRequest): Promise<PrunePlan> {
    const all = this.containers.list();
    const containers = request.containers ? prunableContainers(all, request.containers, nowNs()) : [];
    const gone = new Set(containers);
    const ofContainers = all.filter((one) => !gone.has(one)).map(({ record }) => record.imageId);
    const used = new Set([...ofContainers, ...this.images.mountedIds()]);
    if (!request.images) return { containers, images: [], objects: await this.#topsOf(containers) };
    const images = prunableImages(this.images.store.list(), request.images, used, nowNs());
    return { containers, images, objects: await this.#garbage(request, containers, images) };
  }

  async #topsOf(containers: readonly Container[]): Promise<CollectionPlan> {
    return await Promise.all(
      containers.map(async (container) => ({
        kind: "snapshot" as const,
        name: container.id,
        bytes: (await this.sizer.sizes(container)).SizeRw,
        why: `container ${container.name} goes`,
      })),
    );
  }

  async #garbage(
    request: PruneRequest,
    containers: readonly Container[],
    images: readonly Image[],
  ): Promise<CollectionPlan> {
    const withoutImages = new Set<Digest>(images.map(({ id }) => id));
    const withoutContainers = new Set(containers.map(({ id }) => id));
    const after = await this.collector.plan({ withoutImages, withoutContainers, partialsOlderThanMs: 0 });
    const before = await this.collector.plan({ partialsOlderThanMs: 0 });
    const known = new Set(before.map(keyOf));
    // Filters choose images and containers: what belongs to none of them is not asked for then.
    const isAsked = !isPartial(request.images ?? new Map()) && !isPartial(request.containers ?? new Map());
    return after.flatMap((removal) => {
      if (known.has(keyOf(removal))) return isAsked ? [removal] : [];
      return [{ ...removal, why: this.#whyFreed(removal, containers) }];
    });
  }

  #whyFreed({ kind, name }: StoredObject, containers: readonly Container[]): string {
    if (kind !== "snapshot") return "only what is pruned needs it";
    return `container ${containers.find(({ id }) => id === name)?.name ?? name} goes`;
  }

  /** Out: the ids of removed containers. Errors: Conflict while another prune of containers runs. */
  async pruneContainers(filters: Filters): Promise<{ deleted: string[]; reclaimedBytes: number }> {
    return await this.#alone("container", async () => {
      const { containers, objects } = await this.plan({ containers: filters });
      const deleted: string[] = [];
      for (const container of containers)
        if (await this.#removeContainer(container)) deleted.push(container.id);
      const reclaimedBytes = sum(objects.filter(({ name }) => deleted.includes(name)));
      return { deleted, reclaimedBytes };
    });
  }

  /** False for one that was started or removed meanwhile. */
  async #removeContainer(container: Container): Promise<boolean> {
    if (this.containers.find(container.id) !== container) return false;
    return await unlessConflict(() => this.remover.remove(container, { force: false }));
  }

  /** Images, and whatever else nobody needs. Errors: Conflict while another prune of images runs. */
  async pruneImages(filters: Filters): Promise<{ deleted: RemovedReference[]; reclaimedBytes: number }> {
    return await this.#alone("image", async () => {
      const { images, objects } = await this.plan({ images: filters });
      const deleted: RemovedReference[] = [];
      for (const image of images) await this.#removeImage(image, deleted);
      await this.collector.collect(objects);
      return { deleted, reclaimedBytes: sum(objects) - sum(await this.collector.remaining(objects)) };
    });
  }

  /** One name after another, so that a name which it got meanwhile keeps it. */
  async #removeImage({ id, tags, repoDigests }: Image, deleted: RemovedReference[]): Promise<void> {
    for (const name of [...tags, ...repoDigests, id]) {
      const isMeant =
        this.images.store.find(name) && this.images.store.variants(name).some((one) => one.id === id);
      if (!isMeant) continue;
      const wentOn = await unlessConflict(async () => {
        deleted.push(...(await this.images.remove(name, { force: false, only: [id] })));
      });
      if (!wentOn) return;
    }
  }

  async #alone<T extends { reclaimedBytes: number }>(
    type: "container" | "image",
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.#running.has(type)) throw conflict("a prune operation is already running");
    this.#running.add(type);
    try {
      const result = await work();
      this.bus.publish(type, "prune", "", { reclaimed: String(result.reclaimedBytes) });
      return result;
    } finally {
      this.#running.delete(type);
    }
  }
}

/** Somebody began to use it since the plan was made: then it stays. */
async function unlessConflict(remove: () => Promise<void>): Promise<boolean> {
  try {
    await remove();
    return true;
  } catch (error) {
    if (error instanceof PlatformError && (error.kind === "Conflict" || error.kind === "NotFound"))
      return false;
    throw error;
  }
}

const sum = (objects: readonly StoredObject[]): number =>
  objects.reduce((bytes, one) => bytes + one.bytes, 0);
