import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ContentStore, Digest } from "../../core/content/contract.ts";
import { isMissingFile } from "../../core/content/file-error.ts";
import { KeyedLock } from "../../core/content/keyed-lock.ts";
import { syncFile, writeFileDurably } from "../../core/content/write-file-durably.ts";
import { isDigest } from "../../formats/digest.ts";
import type { ManifestRecord } from "./manifest-record.ts";

/** Names of repositories have no component that begins with `_`: these cannot be mistaken for one. */
const folders = { blobs: "_blobs", manifests: "_manifests", referrers: "_referrers", tags: "_tags" } as const;
export const uploadsFolder = "_uploads";

/**
 * What belongs to which repository, as files below `repositories/<name>/`:
 *
 *     _blobs/<digest>                 empty: the repository has this blob
 *     _manifests/<digest>             JSON: a ManifestRecord
 *     _referrers/<subject>/<digest>   empty: this manifest names that subject
 *     _tags/<tag>                     a digest
 *
 * with `sha256-<hex>` for a digest. Each is written aside, synced and renamed. The bytes are in the content store,
 * once for all repositories; how many links a digest has is counted in memory, and bytes go with their last link.
 */
export class RepositoryStore {
  private readonly links = new Map<Digest, number>();
  private readonly locks = new KeyedLock();
  private drafts = 0;

  private constructor(
    private readonly root: string,
    readonly content: ContentStore,
  ) {}

  /** Counts all links, and removes content without any: a crash came between an upload and its link. */
  static async open(root: string, content: ContentStore): Promise<RepositoryStore> {
    const store = new RepositoryStore(root, content);
    rmSync(store.draftDirectory, { recursive: true, force: true });
    mkdirSync(store.draftDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(join(root, "repositories"), { recursive: true, mode: 0o700 });
    for (const name of store.everyName()) {
      for (const folder of [folders.blobs, folders.manifests])
        for (const digest of digestsIn(store.path(name, folder))) store.count(digest, 1);
    }
    for (const digest of content.list()) if (!store.links.has(digest)) await content.remove(digest);
    return store;
  }

  /** Where a repository's uploads grow; they are the business of `UploadStore`. */
  uploadDirectory(name: string): string {
    return this.path(name, uploadsFolder);
  }

  /** Every repository that was ever written to. */
  everyName(): string[] {
    const found: string[] = [];
    const visit = (path: string) => {
      for (const entry of readdirSync(join(this.root, "repositories", path), { withFileTypes: true })) {
        if (!entry.isDirectory()) continue;
        if (!entry.name.startsWith("_")) visit(path === "" ? entry.name : `${path}/${entry.name}`);
        else if (!found.includes(path)) found.push(path);
      }
    };
    visit("");
    return found;
  }

  /** The repositories that hold a manifest. */
  names(): string[] {
    return this.everyName().filter((name) => digestsIn(this.path(name, folders.manifests)).length > 0);
  }

  exists(name: string): boolean {
    return [folders.blobs, folders.manifests].some((folder) => existsSync(this.path(name, folder)));
  }

  hasBlob(name: string, digest: Digest): boolean {
    return this.content.has(digest) && existsSync(this.path(name, folders.blobs, fileName(digest)));
  }

  /** Links a blob, which `place` puts into the content store; nobody can remove it between the two. */
  async addBlob(name: string, digest: Digest, place: () => Promise<void>): Promise<void> {
    using _turn = await this.locks.acquire(digest);
    await place();
    await this.link(this.path(name, folders.blobs, fileName(digest)), digest, "");
  }

  /** Links a blob of another repository; false when that does not have it. */
  async mountBlob(name: string, digest: Digest, from: string): Promise<boolean> {
    using _turn = await this.locks.acquire(digest);
    if (!this.hasBlob(from, digest)) return false;
    await this.link(this.path(name, folders.blobs, fileName(digest)), digest, "");
    return true;
  }

  /** False if the repository does not have it. */
  async removeBlob(name: string, digest: Digest): Promise<boolean> {
    return await this.unlink(this.path(name, folders.blobs, fileName(digest)), digest);
  }

  async manifest(name: string, digest: Digest): Promise<ManifestRecord | undefined> {
    if (!this.content.has(digest)) return undefined;
    const text = await readIfPresent(this.path(name, folders.manifests, fileName(digest)));
    return text === undefined ? undefined : (JSON.parse(text) as ManifestRecord);
  }

  /** Stores the bytes with their record. A referrer is found only once its manifest has its record. */
  async addManifest(name: string, bytes: Uint8Array, record: ManifestRecord): Promise<void> {
    const { digest } = record.descriptor;
    using _turn = await this.locks.acquire(digest);
    await this.content.put(bytes, digest.startsWith("sha512:") ? "sha512" : "sha256");
    if (record.subject !== undefined) await this.write(this.referrerPath(name, record.subject, digest), "");
    await this.link(this.path(name, folders.manifests, fileName(digest)), digest, JSON.stringify(record));
  }

  /** Removes a manifest with the tags that name it; false if the repository does not have it. */
  async removeManifest(name: string, digest: Digest): Promise<boolean> {
    const record = await this.manifest(name, digest);
    if (record === undefined) return false;
    for (const tag of await this.tags(name))
      if ((await this.tag(name, tag)) === digest) await this.removeTag(name, tag);
    const removed = await this.unlink(this.path(name, folders.manifests, fileName(digest)), digest);
    if (record.subject !== undefined)
      await rm(this.referrerPath(name, record.subject, digest), { force: true });
    return removed;
  }

  async referrers(name: string, subject: Digest): Promise<ManifestRecord[]> {
    const digests = digestsIn(this.path(name, folders.referrers, fileName(subject))).sort();
    const records = await Promise.all(digests.map((digest) => this.manifest(name, digest)));
    return records.filter((record) => record !== undefined);
  }

  async tag(name: string, tag: string): Promise<Digest | undefined> {
    const text = await readIfPresent(this.path(name, folders.tags, tag));
    return text !== undefined && isDigest(text) ? text : undefined;
  }

  async setTag(name: string, tag: string, digest: Digest): Promise<void> {
    await this.write(this.path(name, folders.tags, tag), digest);
  }

  /** False if there was none. */
  async removeTag(name: string, tag: string): Promise<boolean> {
    return await removeDurably(this.path(name, folders.tags, tag));
  }

  /** In no order. */
  async tags(name: string): Promise<string[]> {
    return await readdir(this.path(name, folders.tags)).catch((error) => {
      if (isMissingFile(error)) return [];
      throw error;
    });
  }

  private async link(path: string, digest: Digest, text: string): Promise<void> {
    const isNew = !existsSync(path);
    await this.write(path, text);
    if (isNew) this.count(digest, 1);
  }

  private async unlink(path: string, digest: Digest): Promise<boolean> {
    using _turn = await this.locks.acquire(digest);
    if (!(await removeDurably(path))) return false;
    if (this.count(digest, -1) === 0) await this.content.remove(digest);
    return true;
  }

  private count(digest: Digest, change: 1 | -1): number {
    const links = (this.links.get(digest) ?? 0) + change;
    if (links === 0) this.links.delete(digest);
    else this.links.set(digest, links);
    return links;
  }

  private async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    this.drafts += 1;
    await writeFileDurably(path, text, join(this.draftDirectory, String(this.drafts)));
  }

  private referrerPath(name: string, subject: Digest, digest: Digest): string {
    return this.path(name, folders.referrers, fileName(subject), fileName(digest));
  }

  private get draftDirectory(): string {
    return join(this.root, "drafts");
  }

  private path(name: string, ...rest: string[]): string {
    return join(this.root, "repositories", name, ...rest);
  }
}

const fileName = (digest: Digest): string => digest.replace(":", "-");

function digestsIn(directory: string): Digest[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .map((name) => name.replace("-", ":"))
    .filter(isDigest);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error) => {
    if (isMissingFile(error)) return undefined;
    throw error;
  });
}

async function removeDurably(path: string): Promise<boolean> {
  try {
    await rm(path);
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
  await syncFile(dirname(path));
  return true;
}
