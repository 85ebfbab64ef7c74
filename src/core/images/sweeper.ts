import { messageOf, PlatformError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Log } from "../../log/log.ts";
import type { ContentStore } from "../content/contract.ts";
import { type Leases, resourceKey } from "../leases/leases.ts";
import type { Snapshotter } from "../snapshots/contract.ts";
import type { Candidates } from "./contract.ts";

export interface SweeperOptions {
  readonly content: ContentStore;
  readonly snapshots: Pick<Snapshotter, "layer" | "removeLayer">;
  readonly leases: Leases;
  readonly log: Log;
}

/**
 * Deletes blobs and unpacked layers that nobody needs any more. What is still needed by a running operation or
 * a container is remembered and tried again at the next sweep.
 */
export class Sweeper {
  private readonly waitingBlobs = new Set<Digest>();
  private readonly waitingLayers = new Set<Digest>();

  constructor(private readonly options: SweeperOptions) {}

  /**
   * `needed` (keys of resources) is what images keep; it must not change meanwhile. Returns what was deleted, layers
   * topmost first. Candidate layers come base first.
   */
  async sweep(candidates: Candidates, needed: ReadonlySet<string>): Promise<Candidates> {
    for (const digest of candidates.blobs) this.waitingBlobs.add(digest);
    // Taken out and put in again: a chain's layers stay in their order, base first.
    for (const chainId of candidates.layers) {
      this.waitingLayers.delete(chainId);
      this.waitingLayers.add(chainId);
    }
    const layers = await this.sweepLayers(needed);
    return { layers, blobs: await this.sweepBlobs(needed) };
  }

  private async sweepLayers(needed: ReadonlySet<string>): Promise<Digest[]> {
    const { snapshots, leases } = this.options;
    const removed: Digest[] = [];
    for (const chainId of [...this.waitingLayers].reverse()) {
      if (needed.has(resourceKey({ kind: "layer", name: chainId }))) {
        this.waitingLayers.delete(chainId);
      } else if (!leases.holdsLayer(chainId)) {
        this.waitingLayers.delete(chainId);
        if (snapshots.layer(chainId) === undefined) continue;
        if (await this.removeLayer(chainId)) removed.push(chainId);
      }
    }
    return removed;
  }

  private async removeLayer(chainId: Digest): Promise<boolean> {
    try {
      await this.options.snapshots.removeLayer(chainId);
      return true;
    } catch (error) {
      // A container's writable top stands on it: it goes with a later sweep.
      if (error instanceof PlatformError && error.kind === "Conflict") this.waitingLayers.add(chainId);
      else this.failed(chainId, error);
      return false;
    }
  }

  private async sweepBlobs(needed: ReadonlySet<string>): Promise<Digest[]> {
    const { content, leases } = this.options;
    const unneeded = [...this.waitingBlobs].filter((digest) => {
      const isNeeded = needed.has(resourceKey({ kind: "blob", name: digest }));
      if (!isNeeded && leases.holdsBlob(digest)) return false;
      this.waitingBlobs.delete(digest);
      return !isNeeded;
    });
    const removed = await Promise.all(
      unneeded.map((digest) =>
        content.remove(digest).catch((error) => {
          this.failed(digest, error);
          return false;
        }),
      ),
    );
    return unneeded.filter((_, index) => removed[index]);
  }

  /** A thing that cannot be deleted costs space, not the answer. */
  private failed(digest: Digest, error: unknown): void {
    this.options.log.warn("images.sweep-failed", { digest, error: messageOf(error) });
  }
}
