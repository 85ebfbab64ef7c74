import { setImmediate as nextTurn } from "node:timers/promises";
import { conflict, messageOf } from "../../errors/platform-error.ts";
import { type Digest, isDigest } from "../../formats/digest.ts";
import type { Log } from "../../log/log.ts";
import type { ContentStore } from "../content/contract.ts";
import { KeyedLock } from "../content/keyed-lock.ts";
import type { ImageStore } from "../images/contract.ts";
import type { Leases, Resource } from "../leases/leases.ts";
import type { PersistentLeases } from "../leases/persistent-leases.ts";
import type { Snapshotter } from "../snapshots/contract.ts";
import type { CollectionPlan, KeepGraph, PlannedRemoval, Root, StoredObject } from "./contract.ts";
import { keyOf, planCollection } from "./plan-collection.ts";

export interface CollectorOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly images: Pick<ImageStore, "keeps" | "collect" | "unreadable">;
  readonly leases: Leases;
  readonly persistent: Pick<PersistentLeases, "expire" | "unreadable">;
  /** The container that a writable top belongs to, by name; undefined for a top that nobody owns. */
  readonly containerOf: (key: string) => string | undefined;
  readonly log: Log;
}

export interface CollectionScope {
  /** As if these were gone already: what a prune would free. Containers by snapshot key. */
  readonly withoutImages?: ReadonlySet<Digest>;
  readonly withoutContainers?: ReadonlySet<string>;
  readonly partialsOlderThanMs: number;
}

/** How many objects go before others get their turn. */
const batchSize = 16;

/**
 * Collects the garbage of the content store and the snapshots. A plan is only a proposal: each object is looked at
 * again in the moment in which it is deleted, so that everything else can go on at the same time.
 */
export class Collector {
  private readonly turns = new KeyedLock();

  constructor(private readonly options: CollectorOptions) {}

  /** Who keeps what at this moment. */
  graph({ withoutImages, withoutContainers }: Omit<CollectionScope, "partialsOlderThanMs"> = {}): KeepGraph {
    const { images, leases, snapshots } = this.options;
    const kept = images.keeps(withoutImages);
    const containers = snapshots.keys().flatMap((key): Root[] => {
      const name = withoutContainers?.has(key) ? undefined : this.options.containerOf(key);
      return name === undefined
        ? []
        : [{ kind: "container", name, keeps: [{ kind: "snapshot", name: key }] }];
    });
    const held = leases.list().map(({ owner, resources }) => ({ ...owner, keeps: resources }));
    return {
      roots: [...kept.roots, ...containers, ...held],
      references: (resource) =>
        resource.kind === "blob" ? kept.references(resource) : this.#below(resource),
    };
  }

  #below({ kind, name }: Resource): readonly Resource[] {
    const { snapshots } = this.options;
    const below =
      kind === "snapshot" ? snapshots.parent(name) : isDigest(name) && snapshots.layer(name)?.parent;
    return below ? [{ kind: "layer", name: below }] : [];
  }

  /**
   * Changes nothing but leases whose time is over.
   * Errors: Conflict when a sidecar cannot be read, since what it keeps would be taken for garbage.
   */
  async plan(scope: CollectionScope): Promise<CollectionPlan> {
    const { images, persistent, snapshots } = this.options;
    const [unreadable] = [...images.unreadable, ...persistent.unreadable];
    if (unreadable !== undefined) {
      throw conflict(`no garbage is collected: ${unreadable} cannot be read, and what it keeps is unknown`, {
        hint: "`gantry fsck` tells what is wrong with it",
        code: "gc.unreadable",
      });
    }
    await persistent.expire();
    const objects = await this.#objects();
    const plan = planCollection({
      ...this.graph(scope),
      objects,
      nowMs: Date.now(),
      partialsOlderThanMs: scope.partialsOlderThanMs,
    });
    // Measuring walks the files: only of what would go.
    return await Promise.all(
      plan.map(async (removal) =>
        removal.kind === "snapshot" && snapshots.keys().includes(removal.name)
          ? { ...removal, bytes: (await snapshots.usage(removal.name)).sizeBytes }
          : removal,
      ),
    );
  }

  async #objects(): Promise<StoredObject[]> {
    const { content, snapshots } = this.options;
    const partials = await content.partials();
    return [
      ...snapshots.keys().map((name) => ({ kind: "snapshot", name, bytes: 0 }) as const),
      ...snapshots
        .layers()
        .map(({ chainId, sizeBytes }) => ({ kind: "layer", name: chainId, bytes: sizeBytes }) as const),
      ...content
        .list()
        .map((digest) => ({ kind: "blob", name: digest, bytes: content.size(digest) ?? 0 }) as const),
      ...partials.map(
        ({ digest, size, changedAtMs }) =>
          ({ kind: "partial", name: digest, bytes: size, changedAtMs }) as const,
      ),
    ];
  }

  /** Deletes what is planned and still garbage; one collection at a time. Returns what went. */
  async collect(plan: CollectionPlan): Promise<CollectionPlan> {
    using _turn = await this.turns.acquire("");
    const gone: PlannedRemoval[] = [];
    for (let at = 0; at < plan.length; at += batchSize) {
      gone.push(...(await this.#collectBatch(plan.slice(at, at + batchSize))));
      await nextTurn();
    }
    return gone;
  }

  /** Those of the plan that are on disk. */
  async remaining(plan: CollectionPlan): Promise<CollectionPlan> {
    const there = new Set((await this.#objects()).map(keyOf));
    return plan.filter((removal) => there.has(keyOf(removal)));
  }

  /** Plans and collects behind everything else. Never rejects. */
  async run(scope: CollectionScope): Promise<void> {
    const { log } = this.options;
    try {
      const gone = await this.collect(await this.plan(scope));
      const bytes = gone.reduce((sum, removal) => sum + removal.bytes, 0);
      if (gone.length > 0) log.info("gc.collected", { objects: gone.length, bytes });
    } catch (error) {
      log.warn("gc.failed", { error: messageOf(error) });
    }
  }

  async #collectBatch(batch: CollectionPlan): Promise<PlannedRemoval[]> {
    const gone = new Set<string>();
    const failed = (removal: PlannedRemoval, error: unknown) =>
      this.options.log.warn("gc.remove-failed", { what: keyOf(removal), error: messageOf(error) });
    for (const removal of batch) {
      const removed = await this.#removeOwn(removal).catch((error) => failed(removal, error));
      if (removed) gone.add(keyOf(removal));
    }
    // The image store knows what its images need, and lets nobody change that meanwhile.
    const { blobs, layers } = await this.options.images.collect({
      blobs: digestsOf(batch, "blob"),
      layers: digestsOf(batch, "layer").reverse(),
    });
    for (const name of blobs) gone.add(keyOf({ kind: "blob", name }));
    for (const name of layers) gone.add(keyOf({ kind: "layer", name }));
    return batch.filter((removal) => gone.has(keyOf(removal)));
  }

  /** Partial blobs and writable tops. The last look and the removal are one step: nothing comes between them. */
  async #removeOwn({ kind, name, changedAtMs }: PlannedRemoval): Promise<boolean> {
    const { content, snapshots, leases, containerOf } = this.options;
    if (kind === "partial" && isDigest(name)) {
      const [now] = (await content.partials()).filter(({ digest }) => digest === name);
      return now?.changedAtMs === changedAtMs && (await content.removePartial(name));
    }
    if (kind !== "snapshot" || !snapshots.keys().includes(name)) return false;
    if (containerOf(name) !== undefined || leases.holds({ kind, name })) return false;
    await snapshots.remove(name);
    return true;
  }
}

const digestsOf = (batch: CollectionPlan, kind: StoredObject["kind"]): Digest[] =>
  batch.flatMap((removal) => (removal.kind === kind && isDigest(removal.name) ? [removal.name] : []));
