import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { ContentStore, Digest } from "../../core/content/contract.ts";
import { KeyedLock } from "../../core/content/keyed-lock.ts";
import { digestAlgorithm, isDigest } from "../../formats/digest.ts";
import type { ContentKeeper } from "./content-keeper.ts";
import type { ManifestRecord } from "./manifest-record.ts";
import { digestFileName, RepositoryFiles } from "./repository-files.ts";

/** Names of repositories have no component that begins with `_`: these cannot be mistaken for one. */
const folders = { blob: "_blobs", manifest: "_manifests", referrers: "_referrers", tags: "_tags" } as const;
export const uploadsFolder = "_uploads";

/** What a repository has of the content, by which of its folders. */
export type LinkKind = "blob" | "manifest";

/**
 * What belongs to which repository, as files below `repositories/<name>/`:
 *
 *     _blobs/<digest>                 empty: the repository has this blob
 *     _manifests/<digest>             JSON: a ManifestRecord
 *     _referrers/<subject>/<digest>   empty: this manifest names that subject
 *     _tags/<tag>                     a digest
 *
 * with `sha256-<hex>` for a digest. A link's time is when it was made, or looked at last. The bytes are in the content
 * store, once for all repositories; how many links a digest has is counted in memory, and its keeper knows of each
 * digest that has one.
 */
export class RepositoryStore {
  private readonly links = new Map<Digest, number>();
  /** Which repositories have a blob. */
  private readonly holders = new Map<Digest, Set<string>>();
  /** By repository; the catalog is answered from it. */
  private readonly manifestCounts = new Map<string, number>();
  private readonly digestLocks = new KeyedLock();
  private readonly nameLocks = new KeyedLock();

  private constructor(
    readonly files: RepositoryFiles,
    readonly content: ContentStore,
    private readonly keeper: ContentKeeper,
  ) {}

  /** Counts all links. */
  static async open(root: string, content: ContentStore, keeper: ContentKeeper): Promise<RepositoryStore> {
    const store = new RepositoryStore(new RepositoryFiles(root), content, keeper);
    for (const name of store.everyName())
      for (const kind of ["blob", "manifest"] as const)
        for (const digest of store.linked(name, kind)) store.countLink(name, kind, digest, 1);
    return store;
  }

  /** Where a repository's uploads grow; they are the business of `UploadStore`. */
  uploadDirectory(name: string): string {
    return this.files.path(name, uploadsFolder);
  }

  /** Every repository that was ever written to. */
  everyName(): string[] {
    return this.files.everyName();
  }

  /** The repositories that hold a manifest. */
  names(): string[] {
    return [...this.manifestCounts.keys()];
  }

  exists(name: string): boolean {
    return (["blob", "manifest"] as const).some((kind) => existsSync(this.files.path(name, folders[kind])));
  }

  /** How many repositories have it, as blob or manifest. */
  linkCount(digest: Digest): number {
    return this.links.get(digest) ?? 0;
  }

  /** The repositories that have it as a blob. */
  holdersOfBlob(digest: Digest): string[] {
    return [...(this.holders.get(digest) ?? [])];
  }

  linked(name: string, kind: LinkKind): Digest[] {
    return this.files.digestsIn(this.files.path(name, folders[kind]));
  }

  hasBlob(name: string, digest: Digest): boolean {
    return this.content.has(digest) && existsSync(this.linkPath(name, "blob", digest));
  }

  /** When the link was made, or looked at last, in milliseconds; undefined when there is none. */
  async usedAtMs(name: string, kind: LinkKind, digest: Digest): Promise<number | undefined> {
    return await this.files.usedAtMs(this.linkPath(name, kind, digest));
  }

  /**
   * Notes that somebody looks at it: who sees a blob does not push it again, and may name it in a manifest for a while.
   * False when the repository does not have it.
   */
  async touch(name: string, kind: LinkKind, digest: Digest): Promise<boolean> {
    using _turn = await this.digestLocks.acquire(digest);
    return this.content.has(digest) && (await this.files.touch(this.linkPath(name, kind, digest)));
  }

  /** Runs `work` while nobody else checks what a new manifest needs, or collects what no manifest needs. */
  async exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
    using _turn = await this.nameLocks.acquire(name);
    return await work();
  }

  /** Links a blob, which `place` puts into the content store; nobody can remove it between the two. */
  async addBlob(name: string, digest: Digest, place: () => Promise<void>): Promise<void> {
    using _turn = await this.digestLocks.acquire(digest);
    await this.whileKept(digest, async () => {
      await place();
      await this.link(name, "blob", digest, "");
    });
  }

  /** Links a blob of another repository; false when that does not have it. */
  async mountBlob(name: string, digest: Digest, from: string): Promise<boolean> {
    using _turn = await this.digestLocks.acquire(digest);
    if (!this.hasBlob(from, digest)) return false;
    await this.link(name, "blob", digest, "");
    return true;
  }

  /** False if the repository does not have it, or somebody looked at it after `unusedSinceMs`. */
  async removeBlob(name: string, digest: Digest, unusedSinceMs = Number.MAX_VALUE): Promise<boolean> {
    return await this.unlink(name, "blob", digest, unusedSinceMs);
  }

  async manifest(name: string, digest: Digest): Promise<ManifestRecord | undefined> {
    if (!this.content.has(digest)) return undefined;
    const text = await this.files.read(this.linkPath(name, "manifest", digest));
    return text === undefined ? undefined : (JSON.parse(text) as ManifestRecord);
  }

  /** Stores the bytes with their record. A referrer is found only once its manifest has its record. */
  async addManifest(name: string, bytes: Uint8Array, record: ManifestRecord): Promise<void> {
    const { digest } = record.descriptor;
    using _turn = await this.digestLocks.acquire(digest);
    await this.whileKept(digest, async () => {
      await this.content.put(bytes, digestAlgorithm(digest));
      if (record.subject !== undefined)
        await this.files.write(this.referrerPath(name, record.subject, digest), "");
      await this.link(name, "manifest", digest, JSON.stringify(record));
    });
  }

  /**
   * Removes a manifest with the tags that name it. False if the repository does not have it, or somebody looked at it
   * after `unusedSinceMs`.
   */
  async removeManifest(name: string, digest: Digest, unusedSinceMs = Number.MAX_VALUE): Promise<boolean> {
    const record = await this.manifest(name, digest);
    if (record === undefined) return false;
    if (((await this.usedAtMs(name, "manifest", digest)) ?? 0) > unusedSinceMs) return false;
    for (const tag of await this.tags(name))
      if ((await this.tag(name, tag)) === digest) await this.removeTag(name, tag);
    const removed = await this.unlink(name, "manifest", digest, unusedSinceMs);
    if (removed && record.subject !== undefined)
      await rm(this.referrerPath(name, record.subject, digest), { force: true });
    return removed;
  }

  async referrers(name: string, subject: Digest): Promise<ManifestRecord[]> {
    const directory = this.files.path(name, folders.referrers, digestFileName(subject));
    const digests = this.files.digestsIn(directory).sort();
    const records = await Promise.all(digests.map((digest) => this.manifest(name, digest)));
    return records.filter((record) => record !== undefined);
  }

  async tag(name: string, tag: string): Promise<Digest | undefined> {
    const text = await this.files.read(this.files.path(name, folders.tags, tag));
    return text !== undefined && isDigest(text) ? text : undefined;
  }

  async setTag(name: string, tag: string, digest: Digest): Promise<void> {
    await this.files.write(this.files.path(name, folders.tags, tag), digest);
  }

  /** False if there was none. */
  async removeTag(name: string, tag: string): Promise<boolean> {
    return await this.files.remove(this.files.path(name, folders.tags, tag));
  }

  /** In no order. */
  async tags(name: string): Promise<string[]> {
    return await this.files.list(this.files.path(name, folders.tags));
  }

  private async link(name: string, kind: LinkKind, digest: Digest, text: string): Promise<void> {
    const path = this.linkPath(name, kind, digest);
    const isNew = !existsSync(path);
    await this.files.write(path, text);
    if (isNew) this.countLink(name, kind, digest, 1);
  }

  private async unlink(
    name: string,
    kind: LinkKind,
    digest: Digest,
    unusedSinceMs: number,
  ): Promise<boolean> {
    using _turn = await this.digestLocks.acquire(digest);
    const path = this.linkPath(name, kind, digest);
    if (((await this.files.usedAtMs(path)) ?? 0) > unusedSinceMs) return false;
    if (!(await this.files.remove(path))) return false;
    if (this.countLink(name, kind, digest, -1) === 0) await this.keeper.release(digest);
    return true;
  }

  /** Keeps a digest that has no link yet as if it had one. */
  private async whileKept(digest: Digest, work: () => Promise<void>): Promise<void> {
    this.count(digest, 1);
    try {
      await work();
    } finally {
      if (this.count(digest, -1) === 0) await this.keeper.release(digest);
    }
  }

  private countLink(name: string, kind: LinkKind, digest: Digest, change: 1 | -1): number {
    if (kind === "manifest") {
      const manifests = (this.manifestCounts.get(name) ?? 0) + change;
      if (manifests === 0) this.manifestCounts.delete(name);
      else this.manifestCounts.set(name, manifests);
    } else {
      const names = this.holders.get(digest) ?? new Set();
      if (change === 1) names.add(name);
      else names.delete(name);
      if (names.size === 0) this.holders.delete(digest);
      else this.holders.set(digest, names);
    }
    return this.count(digest, change);
  }

  private count(digest: Digest, change: 1 | -1): number {
    const links = (this.links.get(digest) ?? 0) + change;
    if (links === 0) this.links.delete(digest);
    else this.links.set(digest, links);
    if (links === 1 && change === 1) this.keeper.keep(digest);
    return links;
  }

  private linkPath(name: string, kind: LinkKind, digest: Digest): string {
    return this.files.path(name, folders[kind], digestFileName(digest));
  }

  private referrerPath(name: string, subject: Digest, digest: Digest): string {
    return this.files.path(name, folders.referrers, digestFileName(subject), digestFileName(digest));
  }
}
