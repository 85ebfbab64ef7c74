import type { Digest } from "../../formats/digest.ts";

/** A thing that can be held. `name`: the digest of a blob, the chain id of a layer, the key of a snapshot. */
export interface Resource {
  readonly kind: "blob" | "layer" | "snapshot";
  readonly name: string;
}

/** One text for each resource, for maps and sets. */
export const resourceKey = ({ kind, name }: Resource): string => `${kind} ${name}`;

/** What a running operation needs to stay. Holding the same thing twice is one hold. */
export interface Lease {
  /** In the order in which they were held first. */
  readonly blobs: ReadonlySet<Digest>;
  readonly layers: ReadonlySet<Digest>;
  holdBlob(digest: Digest): void;
  holdLayer(chainId: Digest): void;
  /** False if it was held already. */
  hold(resource: Resource): boolean;
}

/** For people: `pull of busybox:latest`, or the id of a persistent lease. */
export interface LeaseOwner {
  readonly kind: "operation" | "lease" | "repository";
  readonly name: string;
}

/** A lease whose end its owner chooses. */
export interface OpenLease extends Lease {
  readonly owner: LeaseOwner;
  /** In the order in which they were held first. */
  readonly resources: readonly Resource[];
  /** A second time: nothing. */
  end(): void;
}

/**
 * Who needs what at this moment, counted in memory. Removing asks here before it deletes. An operation takes
 * its hold before it looks whether a thing is present, so nothing goes away between the look and the use.
 */
export class Leases {
  private readonly counts = new Map<string, number>();
  private readonly opened = new Set<OpenLease>();

  /** All holds end with `work`, however it ends. `name` tells people what works. */
  async withLease<T>(work: (lease: Lease) => Promise<T>, name = "running operation"): Promise<T> {
    const lease = this.open({ kind: "operation", name });
    try {
      return await work(lease);
    } finally {
      lease.end();
    }
  }

  open(owner: LeaseOwner): OpenLease {
    const [blobs, layers] = [new Set<Digest>(), new Set<Digest>()];
    const held = new Map<string, Resource>();
    const hold = (resource: Resource): boolean => {
      const key = resourceKey(resource);
      if (held.has(key)) return false;
      held.set(key, resource);
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
      return true;
    };
    const lease: OpenLease = {
      owner,
      blobs,
      layers,
      holdBlob: (digest) => {
        blobs.add(digest);
        hold({ kind: "blob", name: digest });
      },
      holdLayer: (chainId) => {
        layers.add(chainId);
        hold({ kind: "layer", name: chainId });
      },
      hold,
      get resources() {
        return [...held.values()];
      },
      end: () => {
        this.opened.delete(lease);
        for (const key of held.keys()) this.drop(key);
        held.clear();
      },
    };
    this.opened.add(lease);
    return lease;
  }

  holdsBlob(digest: Digest): boolean {
    return this.holds({ kind: "blob", name: digest });
  }

  holdsLayer(chainId: Digest): boolean {
    return this.holds({ kind: "layer", name: chainId });
  }

  holds(resource: Resource): boolean {
    return this.counts.has(resourceKey(resource));
  }

  /** Those that have not ended. */
  list(): readonly OpenLease[] {
    return [...this.opened];
  }

  private drop(key: string): void {
    const left = (this.counts.get(key) ?? 0) - 1;
    if (left > 0) this.counts.set(key, left);
    else this.counts.delete(key);
  }
}
