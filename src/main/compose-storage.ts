import type { ContentStore } from "../core/content/contract.ts";
import type { Collector } from "../core/gc/collector.ts";
import type { Snapshotter } from "../core/snapshots/contract.ts";
import type { EventBus } from "../engine/events/event-bus.ts";
import type { ImageService } from "../engine/images/image-service.ts";
import { DiskUsage } from "../engine/storage/disk-usage.ts";
import { Keepers } from "../engine/storage/keepers.ts";
import { Pruner } from "../engine/storage/pruner.ts";
import type { composeContainers } from "./compose-containers.ts";

export interface StorageParts {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly images: ImageService;
  readonly containers: Pick<ReturnType<typeof composeContainers>, "store" | "sizer" | "remover">;
  readonly collector: Collector;
  readonly bus: EventBus;
}

/** What tells of disk space, and gets it back. */
export function composeStorage(parts: StorageParts) {
  const { content, snapshots, images, containers, collector, bus } = parts;
  const { store, sizer, remover } = containers;
  return {
    diskUsage: new DiskUsage(content, snapshots, images, store, sizer, collector),
    pruner: new Pruner(store, sizer, remover, images, collector, bus),
    keepers: new Keepers(content, snapshots, images, store, collector),
  };
}
