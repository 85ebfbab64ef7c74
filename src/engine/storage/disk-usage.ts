import type { ContentStore } from "../../core/content/contract.ts";
import type { Collector } from "../../core/gc/collector.ts";
import { keyOf, reachable } from "../../core/gc/plan-collection.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { ContainerSizer } from "../containers/container-sizer.ts";
import type { ContainerStore } from "../containers/container-store.ts";
import { containerSummary } from "../containers/container-summary.ts";
import { noFilters } from "../filters.ts";
import type { ImageService } from "../images/image-service.ts";
import { imageSummary } from "../images/image-summary.ts";
import { listImages } from "../images/list-images.ts";
import { sharedSizes } from "../images/shared-sizes.ts";

const usageTypes = ["container", "image", "volume", "build-cache"] as const;
export type UsageType = (typeof usageTypes)[number];

/** Errors: InvalidParameter for another word. */
export function parseUsageType(text: string): UsageType {
  const type = usageTypes.find((name) => name === text);
  if (type === undefined) throw invalidParameter(`unknown object type: ${text}`);
  return type;
}

/** What Docker's answer has no place for. Bytes; `active`: what somebody keeps. */
export interface StoreUsage {
  readonly blobs: SpaceUsage;
  readonly layers: SpaceUsage;
  /** Of downloads that broke off and can be gone on with. */
  readonly partials: SpaceUsage;
}

export interface SpaceUsage {
  readonly total: number;
  readonly active: number;
  readonly bytes: number;
  readonly reclaimableBytes: number;
}

/** How much space everything takes. */
export class DiskUsage {
  constructor(
    private readonly content: ContentStore,
    private readonly snapshots: Snapshotter,
    private readonly images: ImageService,
    private readonly containers: ContainerStore,
    private readonly sizer: ContainerSizer,
    private readonly collector: Collector,
  ) {}

  /** engine-api.yaml, SystemDataUsageResponse. What was not asked for is null, as Docker leaves it. */
  async docker(types: ReadonlySet<UsageType>): Promise<object> {
    return {
      LayersSize: types.has("image") ? layerBytes(this.snapshots) : 0,
      Images: types.has("image") ? this.#images() : null,
      Containers: types.has("container") ? await this.#containers() : null,
      Volumes: types.has("volume") ? [] : null,
      BuildCache: types.has("build-cache") ? [] : null,
    };
  }

  #images(): object[] {
    const images = this.images.store.list();
    const shared = sharedSizes(images, this.snapshots);
    const containers = this.images.containerCounts();
    return listImages(images, noFilters, () => undefined).map((image) =>
      imageSummary(image, {
        minor: 51, // older clients get the number of containers here, too
        containers: containers.get(image.id) ?? 0,
        sharedBytes: shared.get(image.id),
      }),
    );
  }

  async #containers(): Promise<object[]> {
    const containers = this.containers.list().reverse();
    const sizes = await Promise.all(containers.map((container) => this.sizer.sizes(container)));
    const now = Date.now();
    return containers.map((container, index) => containerSummary(container, now, sizes[index]));
  }

  async stores(): Promise<StoreUsage> {
    const needed = reachable(this.collector.graph());
    const partials = await this.content.partials();
    const partialBytes = partials.reduce((sum, { size }) => sum + size, 0);
    return {
      blobs: usageOf(
        this.content.list().map((name) => ({
          bytes: this.content.size(name) ?? 0,
          isNeeded: needed.has(keyOf({ kind: "blob", name })),
        })),
      ),
      layers: usageOf(
        this.snapshots.layers().map(({ chainId, sizeBytes }) => ({
          bytes: sizeBytes,
          isNeeded: needed.has(keyOf({ kind: "layer", name: chainId })),
        })),
      ),
      partials: { total: partials.length, active: 0, bytes: partialBytes, reclaimableBytes: partialBytes },
    };
  }
}

function usageOf(objects: readonly { readonly bytes: number; readonly isNeeded: boolean }[]): SpaceUsage {
  const bytesOf = (some: typeof objects) => some.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    total: objects.length,
    active: objects.filter(({ isNeeded }) => isNeeded).length,
    bytes: bytesOf(objects),
    reclaimableBytes: bytesOf(objects.filter(({ isNeeded }) => !isNeeded)),
  };
}

const layerBytes = (snapshots: Snapshotter): number =>
  snapshots.layers().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
