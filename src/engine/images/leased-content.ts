import type { Digest } from "../../core/content/contract.ts";
import type { ImageStore } from "../../core/images/contract.ts";
import type { Leases, OpenLease } from "../../core/leases/leases.ts";
import type { ContentKeeper } from "../../registry/server/content-keeper.ts";

/**
 * Content that the engine's images and its registry share: what a repository links is leased, so that no image takes it
 * along; what no repository links any more goes unless an image or a running operation needs it.
 */
export class LeasedContent implements ContentKeeper {
  private readonly held = new Map<Digest, OpenLease>();

  constructor(
    private readonly leases: Pick<Leases, "open">,
    private readonly images: Pick<ImageStore, "collect">,
  ) {}

  keep(digest: Digest): void {
    const lease = this.leases.open({ kind: "repository", name: "of the registry" });
    lease.holdBlob(digest);
    this.held.set(digest, lease);
  }

  async release(digest: Digest): Promise<void> {
    this.held.get(digest)?.end();
    this.held.delete(digest);
    await this.images.collect({ blobs: [digest], layers: [] });
  }
}
