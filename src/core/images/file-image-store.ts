import { invalidParameter, messageOf } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import { hostPlatform, type Platform, platformDistance } from "../../formats/platform.ts";
import {
  canonicalReference,
  checkUnambiguous,
  familiarReference,
  parseImageName,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../formats/reference.ts";
import type { Log } from "../../log/log.ts";
import type { ContentStore } from "../content/contract.ts";
import { KeyedLock } from "../content/keyed-lock.ts";
import type { KeepGraph } from "../gc/contract.ts";
import { reachable } from "../gc/plan-collection.ts";
import type { Leases } from "../leases/leases.ts";
import type { Snapshotter } from "../snapshots/contract.ts";
import type { Candidates, Image, ImageNaming, ImageStore, ImageUsers, RemovedReference } from "./contract.ts";
import { findImageId, lookupName, noSuchImage } from "./find-image-id.ts";
import { imageGraph } from "./image-graph.ts";
import { type ImageRecord, ImageSidecars, type ReferenceRecord } from "./image-sidecars.ts";
import { IncompleteImages } from "./incomplete-images.ts";
import { blobsOf, type ImageDocuments, loadImage } from "./load-image.ts";
import { imagesOfName, withImage, withoutImages } from "./name-record.ts";
import { planRemoval } from "./plan-removal.ts";
import { Sweeper } from "./sweeper.ts";

export interface ImageStoreOptions {
  /** Of the sidecars; made if it is missing. */
  readonly directory: string;
  readonly content: ContentStore;
  readonly snapshots: Pick<Snapshotter, "layer" | "parent" | "removeLayer">;
  readonly leases: Leases;
  readonly log: Log;
  /** Names mean the image for it, where there are several. Default: the host's. */
  readonly platform?: Platform;
}

interface Entry {
  readonly record: ImageRecord;
  readonly documents: ImageDocuments;
}

/**
 * The image store whose truth is a directory of sidecars (see ImageSidecars). Everything is read at the start;
 * after that, memory answers and each change is on disk before it is in memory. One process owns it.
 */
export class FileImageStore implements ImageStore {
  private readonly entries = new Map<Digest, Entry>();
  private readonly names = new Map<string, ReferenceRecord>();
  /** By manifest digest; a name may stand for another manifest of the same config. */
  private readonly manifests = new Map<Digest, ImageDocuments>();
  private readonly views = new Map<Digest, Image>();
  private listed: readonly Image[] | undefined;
  private readonly incomplete: IncompleteImages;
  readonly unreadable: string[] = [];
  private readonly changes = new KeyedLock();
  private readonly sweeper: Sweeper;

  private constructor(
    private readonly options: ImageStoreOptions,
    private readonly sidecars: ImageSidecars,
  ) {
    this.incomplete = new IncompleteImages(options);
    this.sweeper = new Sweeper(options);
  }

  /**
   * Reads what is there. An image that lost blobs or layers is logged and left out: pulling repairs it, and what it
   * still has is kept until then.
   */
  static async open(options: ImageStoreOptions): Promise<FileImageStore> {
    const store = new FileImageStore(options, new ImageSidecars(options.directory));
    const { log } = options;
    const { images, references } = store.sidecars.load((path, error) => {
      store.unreadable.push(path);
      log.warn("images.sidecar-broken", { path, error: messageOf(error) });
    });
    await Promise.all(
      images.map((record) =>
        store.restoreImage(record).catch(async (error) => {
          log.warn("images.incomplete", { id: record.id, error: messageOf(error) });
          await store.incomplete.addImage(record);
        }),
      ),
    );
    await Promise.all(
      references.map((record) =>
        store.restoreName(record).catch(async (error) => {
          log.warn("images.name-incomplete", { reference: record.reference, error: messageOf(error) });
          await store.incomplete.addName(record);
        }),
      ),
    );
    return store;
  }

  private async restoreImage(record: ImageRecord): Promise<void> {
    const documents = await this.documentsOf(record.manifest);
    this.checkComplete(documents);
    this.entries.set(record.id, { record, documents });
  }

  private async restoreName(record: ReferenceRecord): Promise<void> {
    const gone = imagesOfName(record).filter(({ image }) => !this.entries.has(image));
    const left = withoutImages(record, new Set(gone.map(({ image }) => image)));
    if (left === undefined) throw noSuchImage(record.image);
    for (const { manifest } of imagesOfName(left)) await this.documentsOf(manifest);
    this.names.set(record.reference, left);
  }

  list(): readonly Image[] {
    this.listed ??= [...this.entries.keys()].map((id) => this.view(id));
    return this.listed;
  }

  find(reference: string): Image | undefined {
    const id = findImageId(reference, this.entries.keys(), (name) => this.names.get(name)?.image);
    return id === undefined ? undefined : this.view(id);
  }

  resolve(reference: string): Image {
    const image = this.find(reference);
    if (image === undefined) throw noSuchImage(reference);
    return image;
  }

  variants(reference: string): readonly Image[] {
    const record = this.recordOf(reference);
    if (record === undefined) return [this.resolve(reference)];
    return imagesOfName(record).map(({ image }) => this.view(image));
  }

  private recordOf(given: string): ReferenceRecord | undefined {
    const name = parseImageName(given);
    return name.kind === "name" ? this.names.get(lookupName(name.reference)) : undefined;
  }

  target(reference: string): Descriptor | undefined {
    return this.names.get(lookupName(parseReference(reference)))?.target;
  }

  async add(
    manifest: Descriptor,
    names: readonly ImageNaming[],
    options: { parent?: Digest } = {},
  ): Promise<Image> {
    for (const { reference } of names) checkUnambiguous(parseReference(reference));
    using _turn = await this.changes.acquire("");
    const documents = await this.documentsOf(manifest);
    this.checkComplete(documents);
    const id = documents.manifest.config.digest;
    const before = this.entries.get(id);
    if (before?.record.manifest.digest !== manifest.digest) {
      const record: ImageRecord = { id, manifest: bare(manifest), addedAt: now(), ...options };
      await this.sidecars.writeImage(record);
      this.entries.set(id, { record, documents });
      this.forget(id);
      this.incomplete.images.delete(id);
    }
    for (const { reference, target } of names) {
      await this.point(lookupName(parseReference(reference)), id, target, manifest);
    }
    return this.view(id);
  }

  async tag(source: string, reference: string): Promise<void> {
    using _turn = await this.changes.acquire("");
    const tag = canonicalReference(parseTag(reference));
    const record = this.recordOf(source);
    if (record !== undefined) {
      const meant = imagesOfName(record).toReversed();
      for (const { image, manifest } of meant) await this.point(tag, image, record.target, manifest);
      return;
    }
    const { id, manifest } = this.resolve(source);
    await this.point(tag, id, manifest, manifest);
  }

  private async point(
    reference: string,
    id: Digest,
    target: Descriptor,
    manifest: Descriptor,
  ): Promise<void> {
    const before = this.names.get(reference);
    if (before?.target.digest === target.digest && imagesOfName(before).some(({ image }) => image === id))
      return;
    const record = withImage(
      { reference, target: bare(target), createdAt: now() },
      { image: id, manifest: bare(manifest) },
      before,
      (image) => this.rank(image),
    );
    await this.writeName(record, before);
    this.incomplete.names.delete(reference);
  }

  private async writeName(record: ReferenceRecord, before: ReferenceRecord | undefined): Promise<void> {
    await this.sidecars.writeReference(record);
    this.names.set(record.reference, record);
    for (const { image } of [...imagesOfName(record), ...(before ? imagesOfName(before) : [])]) {
      this.forget(image);
    }
  }

  /** Lowest for what runs here best. */
  private rank(id: Digest): number {
    const config = this.entries.get(id)?.documents.config;
    const { platform = hostPlatform() } = this.options;
    return (config && platformDistance(platform, config)) ?? Number.MAX_SAFE_INTEGER;
  }

  async remove(
    reference: string,
    { force, usedBy, only }: { force: boolean; usedBy: ImageUsers; only?: readonly Digest[] | undefined },
  ): Promise<RemovedReference[]> {
    using _turn = await this.changes.acquire("");
    const ids = only ?? this.variants(reference).map(({ id }) => id);
    const plans = ids.map((id) => {
      const users = usedBy.get(id) ?? [];
      return {
        id,
        ...planRemoval({ id, references: this.referencesOf(id), given: reference, force, users }),
      };
    });
    const useless: Digest[] = [];
    const untagged: Reference[] = [];
    for (const { id, untag } of plans) {
      for (const name of untag) {
        useless.push(...(await this.untag(name, id)));
        if (!this.names.has(canonicalReference(name))) untagged.push(name);
      }
    }
    const deleted: Digest[] = [];
    for (const { id, deleteImage } of plans) {
      if (deleteImage) deleted.push(id, ...(await this.delete(id, useless)));
    }
    if (deleted.length === 0) await this.sweep({ blobs: useless, layers: [] });
    return [
      ...untagged.map((name) => ({ kind: "Untagged", value: familiarReference(name) }) as const),
      ...deleted.map((value) => ({ kind: "Deleted", value }) as const),
    ];
  }

  /** The name means this image no more. Returns the documents that only this name may have needed. */
  private async untag(name: Reference, id: Digest): Promise<Digest[]> {
    const reference = canonicalReference(name);
    const record = this.names.get(reference);
    if (record === undefined) return [];
    const left = withoutImages(record, new Set([id]));
    if (left === undefined) {
      await this.sidecars.removeReference(reference);
      this.names.delete(reference);
      this.forget(id);
    } else await this.writeName(left, record);
    const manifests = imagesOfName(record).flatMap(({ image, manifest }) =>
      image === id ? [manifest.digest, ...this.blobsOfManifest(manifest.digest)] : [],
    );
    return [record.target.digest, ...manifests];
  }

  private async delete(id: Digest, alsoUseless: readonly Digest[]): Promise<readonly Digest[]> {
    const entry = this.entries.get(id);
    await this.sidecars.removeImage(id);
    this.entries.delete(id);
    this.forget(id);
    if (entry === undefined) return [];
    const { digest } = entry.record.manifest;
    const { layers } = await this.sweep({
      blobs: [...alsoUseless, digest, ...blobsOf(entry.documents.manifest)],
      layers: entry.documents.chainIds,
    });
    return layers;
  }

  async collect(candidates: Candidates): Promise<Candidates> {
    using _turn = await this.changes.acquire("");
    return await this.sweep(candidates);
  }

  /** Only in a turn of `changes`: what images need stays the same meanwhile. */
  private async sweep(candidates: Candidates): Promise<Candidates> {
    const gone = await this.sweeper.sweep(candidates, reachable(this.keeps()));
    for (const digest of gone.blobs) this.manifests.delete(digest);
    return gone;
  }

  keeps(without: ReadonlySet<Digest> = new Set()): KeepGraph {
    const images = [...this.entries.values()].map(({ record }) => record);
    return imageGraph({
      images: [...images, ...this.incomplete.images.values()].filter(({ id }) => !without.has(id)),
      names: [...this.names.values(), ...this.incomplete.names.values()].flatMap(
        (name) => withoutImages(name, without) ?? [],
      ),
      documents: this.manifests.values(),
      others: this.incomplete.references,
    });
  }

  blobs({ manifest }: Image): readonly Digest[] {
    return [manifest.digest, ...this.blobsOfManifest(manifest.digest)];
  }

  private blobsOfManifest(manifest: Digest): Digest[] {
    const documents = this.manifests.get(manifest);
    return documents ? blobsOf(documents.manifest) : [];
  }

  private async documentsOf(manifest: Descriptor): Promise<ImageDocuments> {
    const known = this.manifests.get(manifest.digest);
    if (known) return known;
    const documents = await loadImage(this.options.content, manifest);
    this.manifests.set(manifest.digest, documents);
    return documents;
  }

  private checkComplete({ descriptor, manifest, chainIds }: ImageDocuments): void {
    this.options.content.path(descriptor.digest);
    this.options.content.path(manifest.config.digest);
    const missing = chainIds.find((chainId) => this.options.snapshots.layer(chainId) === undefined);
    if (missing) throw invalidParameter(`layer ${missing} is not unpacked`, { code: "image.incomplete" });
  }

  /** Those with a tag first, each kind sorted. */
  private referencesOf(id: Digest): Reference[] {
    const { tags, repoDigests } = this.view(id);
    return [...tags, ...repoDigests].map(parseReference);
  }

  /** Whenever the image or one of its names has changed. */
  private forget(id: Digest): void {
    this.views.delete(id);
    this.listed = undefined;
  }

  private view(id: Digest): Image {
    const known = this.views.get(id);
    if (known) return known;
    const entry = this.entries.get(id);
    if (!entry) throw noSuchImage(id);
    const { record, documents } = entry;
    const names = [...this.names.values()].filter((name) =>
      imagesOfName(name).some(({ image }) => image === id),
    );
    const sorted = names.map((name) => name.reference).sort();
    const image: Image = {
      id,
      manifest: record.manifest,
      config: documents.config,
      ...(record.parent === undefined ? {} : { parent: record.parent }),
      chainIds: documents.chainIds,
      sizeBytes: documents.chainIds.reduce(
        (sum, chainId) => sum + (this.options.snapshots.layer(chainId)?.sizeBytes ?? 0),
        0,
      ),
      tags: sorted.filter((name) => !name.includes("@")),
      repoDigests: sorted.filter((name) => name.includes("@")),
      lastTaggedAt: names
        .map((name) => name.createdAt)
        .sort()
        .at(-1),
    };
    this.views.set(id, image);
    return image;
  }
}

function parseTag(reference: string): Reference {
  const parsed = parseReference(reference);
  if (parsed.digest !== undefined) {
    throw invalidParameter("refusing to create a tag with a digest reference", { code: "reference.digest" });
  }
  checkUnambiguous(parsed);
  return withDefaultTag(parsed);
}

/** What a sidecar keeps of a descriptor. */
function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function now(): string {
  return new Date().toISOString();
}
