import type { ImageStore } from "../../core/images/contract.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import type { Container } from "./container.ts";
import type { ContainerSizes } from "./container-summary.ts";

/** Measures what a container takes on disk; walks its writable top, so only on request. */
export class ContainerSizer {
  constructor(
    private readonly snapshots: Snapshotter,
    private readonly images: ImageStore,
  ) {}

  async sizes(container: Container): Promise<ContainerSizes> {
    const { sizeBytes } = await this.snapshots.usage(container.id);
    const image = this.images.find(container.record.imageId);
    return { SizeRw: sizeBytes, SizeRootFs: sizeBytes + (image?.sizeBytes ?? 0) };
  }
}
