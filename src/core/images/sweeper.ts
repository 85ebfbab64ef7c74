import { messageOf, PlatformError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Log } from "../../log/log.ts";
import type { ContentStore } from "../content/contract.ts";
import type { Leases } from "../leases/leases.ts";
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

  /** `needs` tells what images keep, at the moment of the call. */
  constructor(
    private readonly options: SweeperOptions,
    private readonly needs: () => { blobs: ReadonlySet<Digest>; layers: ReadonlySet<Digest> },
  ) {}

  /** Returns the layers that were deleted, topmost first. Candidate layers come base first. */
  async sweep(candidates: Candidates): Promise<Digest[]> {
    for (const digest of candidates.blobs) this.waitingBlobs.add(digest);
    // Taken out and put in again: a chain's layers stay in their order, base first.
    for (const chainId of candidates.layers) {
      this.waitingLayers.delete(chainId);
      this.waitingLayers.add(chainId);
    }
    const removedLayers = await this.sweepLayers();
    await this.sweepBlobs();
    return removedLayers;
  }

  private async sweepLayers(): Promise<Digest[]> {
    const { snapshots, leases } = this.options;
    const removed: Digest[] = [];
    for (const chainId of [...this.waitingLayers].reverse()) {
      if (this.needs().layers.has(chainId)) {
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

  private async sweepBlobs(): Promise<void> {
    const { content, leases } = this.options;
    for (const digest of [...this.waitingBlobs]) {
      if (this.needs().blobs.has(digest)) {
        this.waitingBlobs.delete(digest);
      } else if (!leases.holdsBlob(digest)) {
        this.waitingBlobs.delete(digest);
        await content.remove(digest).catch((error) => this.failed(digest, error));
      }
    }
  }

  /** A thing that cannot be deleted costs space, not the answer. */
  private failed(digest: Digest, error: unknown): void {
    this.options.log.warn("images.sweep-failed", { digest, error: messageOf(error) });
  }
}
