import type { Digest } from "../../formats/digest.ts";

/** What a running operation needs to stay. Holding the same thing twice is one hold. */
export interface Lease {
  /** In the order in which they were held first. */
  readonly blobs: ReadonlySet<Digest>;
  readonly layers: ReadonlySet<Digest>;
  holdBlob(digest: Digest): void;
  holdLayer(chainId: Digest): void;
}

/**
 * Who needs what at this moment, counted in memory. Removing asks here before it deletes. An operation takes
 * its hold before it looks whether a thing is present, so nothing goes away between the look and the use.
 */
export class Leases {
  private readonly blobs = new Map<Digest, number>();
  private readonly layers = new Map<Digest, number>();

  /** All holds end with `work`, however it ends. */
  async withLease<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    const [blobs, layers] = [new Set<Digest>(), new Set<Digest>()];
    try {
      return await work({
        blobs,
        layers,
        holdBlob: (digest) => hold(this.blobs, blobs, digest),
        holdLayer: (chainId) => hold(this.layers, layers, chainId),
      });
    } finally {
      for (const digest of blobs) drop(this.blobs, digest);
      for (const chainId of layers) drop(this.layers, chainId);
    }
  }

  holdsBlob(digest: Digest): boolean {
    return this.blobs.has(digest);
  }

  holdsLayer(chainId: Digest): boolean {
    return this.layers.has(chainId);
  }
}

function hold(counts: Map<Digest, number>, mine: Set<Digest>, digest: Digest): void {
  if (mine.has(digest)) return;
  mine.add(digest);
  counts.set(digest, (counts.get(digest) ?? 0) + 1);
}

function drop(counts: Map<Digest, number>, digest: Digest): void {
  const left = (counts.get(digest) ?? 0) - 1;
  if (left > 0) counts.set(digest, left);
  else counts.delete(digest);
}
