import type { ImageStore } from "../../core/images/contract.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import type { Digest } from "../../formats/digest.ts";

/** The writable tops of containers, as they go. */
export class ContainerTops {
  constructor(
    private readonly snapshots: Pick<Snapshotter, "remove" | "parent" | "layer">,
    private readonly images: Pick<ImageStore, "list" | "collect" | "unreadable">,
  ) {}

  /** Removes a container's top, and with the last one on an image that is gone already (`rmi --force`) its layers. */
  async remove(key: string): Promise<void> {
    const top = this.snapshots.parent(key);
    await this.snapshots.remove(key);
    // What an image keeps that cannot be read is unknown: `fsck` may bring it back.
    if (top === undefined || this.images.unreadable.length > 0) return;
    if (this.images.list().some(({ chainIds }) => chainIds.includes(top))) return;
    await this.images.collect({ blobs: [], layers: this.#chain(top) });
  }

  /** Base first. */
  #chain(top: Digest): Digest[] {
    const chain: Digest[] = [];
    for (let at: Digest | undefined = top; at !== undefined; at = this.snapshots.layer(at)?.parent)
      chain.unshift(at);
    return chain;
  }
}
