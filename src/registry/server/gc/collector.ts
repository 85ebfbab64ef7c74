import { KeyedLock } from "../../../core/content/keyed-lock.ts";
import { messageOf } from "../../../errors/platform-error.ts";
import type { Digest } from "../../../formats/digest.ts";
import type { Log } from "../../../log/log.ts";
import { readManifest } from "../manifest-record.ts";
import type { Registry } from "../registry.ts";
import {
  type CollectionRules,
  type ManifestContents,
  type PlannedLink,
  planRepositoryCollection,
  type RepositoryContents,
} from "./plan-repository-collection.ts";

export interface CollectionRequest {
  readonly dryRun: boolean;
  /** How long after a push or a look things are left alone, in milliseconds. */
  readonly graceMs: number;
  /** How long an upload may rest. */
  readonly uploadAgeMs: number;
  readonly what: CollectionRules["what"];
}

export interface CollectedItem {
  /** Empty for what is no repository's: a download of a cache that broke off. */
  readonly repository: string;
  readonly kind: PlannedLink["kind"] | "upload" | "download";
  /** A digest; of an upload its id. */
  readonly name: string;
  /** What it gives back: nothing while another repository has the same. */
  readonly bytes: number;
  readonly why: string;
}

export interface CollectionReport {
  readonly dryRun: boolean;
  readonly items: readonly CollectedItem[];
  readonly freedBytes: number;
}

/**
 * Removes what no manifest needs while the registry serves. In a repository nobody adds a manifest while it is collected,
 * and what a client has looked at meanwhile stays: a push that goes on finds everything that it was told is there.
 */
export class Collector {
  private readonly turns = new KeyedLock();

  constructor(
    private readonly registry: Registry,
    private readonly log: Log,
  ) {}

  /** One collection at a time; a repository that cannot be read is logged, and left as it is. */
  async collect(request: CollectionRequest): Promise<CollectionReport> {
    using _turn = await this.turns.acquire("");
    const linksLeft = new Map<Digest, number>();
    const items = [
      ...(await this.inEach((name) => this.collectRepository(name, request, linksLeft))),
      ...(await this.inEach((name) => this.idleUploads(name, request))),
    ];
    if (this.registry.cache) items.push(...(await this.collectDownloads(request)));
    return this.report(request, items);
  }

  /** Throws away nothing but uploads that nobody goes on with. */
  async collectUploads(request: CollectionRequest): Promise<CollectionReport> {
    using _turn = await this.turns.acquire("");
    return this.report(request, await this.inEach((name) => this.idleUploads(name, request)));
  }

  private async inEach(collect: (name: string) => Promise<CollectedItem[]>): Promise<CollectedItem[]> {
    const items: CollectedItem[] = [];
    for (const name of this.registry.repositories.everyName()) {
      try {
        items.push(...(await collect(name)));
      } catch (error) {
        this.log.error("registry.collection-failed", { repository: name, message: messageOf(error) });
      }
    }
    return items;
  }

  private report({ dryRun }: CollectionRequest, items: readonly CollectedItem[]): CollectionReport {
    const freedBytes = items.reduce((sum, { bytes }) => sum + bytes, 0);
    this.log.info("registry.collected", { dryRun, items: items.length, freedBytes });
    return { dryRun, items, freedBytes };
  }

  private async collectRepository(
    name: string,
    { dryRun, graceMs, what }: CollectionRequest,
    linksLeft: Map<Digest, number>,
  ): Promise<CollectedItem[]> {
    const { repositories, content } = this.registry;
    const unusedSinceMs = Date.now() - graceMs;
    return await repositories.exclusively(name, async () => {
      const items: CollectedItem[] = [];
      for (const link of planRepositoryCollection(await this.contentsOf(name), { unusedSinceMs, what })) {
        const { kind, digest, why } = link;
        const size = content.size(digest) ?? 0;
        const left = linksLeft.get(digest) ?? repositories.linkCount(digest);
        if (!dryRun && !(await this.remove(name, link, unusedSinceMs))) continue;
        linksLeft.set(digest, left - 1);
        items.push({ repository: name, kind, name: digest, bytes: left === 1 ? size : 0, why });
      }
      return items;
    });
  }

  private remove(name: string, { kind, digest }: PlannedLink, unusedSinceMs: number): Promise<boolean> {
    const { repositories } = this.registry;
    return kind === "manifest"
      ? repositories.removeManifest(name, digest, unusedSinceMs)
      : repositories.removeBlob(name, digest, unusedSinceMs);
  }

  /** Errors: MANIFEST_INVALID, when what a manifest needs cannot be known. */
  private async contentsOf(name: string): Promise<RepositoryContents> {
    const { repositories, content } = this.registry;
    const manifests = new Map<Digest, ManifestContents>();
    for (const digest of repositories.linked(name, "manifest")) {
      const record = await repositories.manifest(name, digest);
      const usedAtMs = await repositories.usedAtMs(name, "manifest", digest);
      if (record === undefined || usedAtMs === undefined) continue; // removed since it was listed
      const read = readManifest(await content.read(digest), digest, record.descriptor.mediaType);
      manifests.set(digest, { usedAtMs, needs: read.everything, subject: record.subject });
    }
    const blobs = repositories.linked(name, "blob").map(async (digest) => {
      return [digest, (await repositories.usedAtMs(name, "blob", digest)) ?? 0] as const;
    });
    const tags = (await repositories.tags(name)).map((tag) => repositories.tag(name, tag));
    return {
      manifests,
      blobs: new Map(await Promise.all(blobs)),
      tagged: new Set((await Promise.all(tags)).filter((digest) => digest !== undefined)),
    };
  }

  private async idleUploads(name: string, request: CollectionRequest): Promise<CollectedItem[]> {
    const idleSinceMs = Date.now() - request.uploadAgeMs;
    const idle = await this.registry.uploads.removeIdle(name, idleSinceMs, request.dryRun);
    const why = "nobody has gone on with it";
    return idle.map(({ id, bytes }) => ({ repository: name, kind: "upload", name: id, bytes, why }));
  }

  private async collectDownloads({ dryRun, uploadAgeMs }: CollectionRequest): Promise<CollectedItem[]> {
    const { content } = this.registry;
    const items: CollectedItem[] = [];
    for (const { digest, size, changedAtMs } of await content.partials()) {
      if (changedAtMs > Date.now() - uploadAgeMs) continue;
      if (!dryRun && !(await content.removePartial(digest))) continue;
      const why = "its download broke off, and nobody has asked for it again";
      items.push({ repository: "", kind: "download", name: digest, bytes: size, why });
    }
    return items;
  }
}
