import type { Digest } from "../../formats/digest.ts";
import type { KeepGraph, Root } from "../gc/contract.ts";
import { type Resource, resourceKey } from "../leases/leases.ts";
import type { ImageRecord, ReferenceRecord } from "./image-sidecars.ts";
import { blobsOf, type ImageDocuments } from "./load-image.ts";
import { imagesOfName } from "./name-record.ts";

export interface ImageGraphInput {
  readonly images: Iterable<ImageRecord>;
  readonly names: Iterable<ReferenceRecord>;
  /** By manifest digest. */
  readonly documents: Iterable<ImageDocuments>;
  /** What is known of the others. */
  readonly others: ReadonlyMap<string, readonly Resource[]>;
}

/** What images and their names keep: name → index → manifest → config and layers; config → unpacked layers. */
export function imageGraph({ images, names, documents, others }: ImageGraphInput): KeepGraph {
  const references = new Map<string, Resource[]>([...others].map(([key, known]) => [key, [...known]]));
  const refer = (from: Digest, to: readonly Resource[]) => {
    const key = resourceKey(blob(from));
    references.set(key, [...(references.get(key) ?? []), ...to]);
  };
  for (const { descriptor, manifest, chainIds } of documents) {
    refer(descriptor.digest, blobsOf(manifest).map(blob));
    refer(
      manifest.config.digest,
      chainIds.map((name) => ({ kind: "layer", name })),
    );
  }
  const roots: Root[] = [];
  for (const name of names) {
    const { reference, target } = name;
    for (const { manifest } of imagesOfName(name)) {
      if (target.digest !== manifest.digest) refer(target.digest, [blob(manifest.digest)]);
    }
    roots.push({ kind: "image", name: reference, keeps: [blob(target.digest)] });
  }
  for (const { id, manifest } of images)
    roots.push({ kind: "image", name: id, keeps: [blob(manifest.digest)] });
  return { roots, references: (resource) => references.get(resourceKey(resource)) ?? [] };
}

const blob = (name: Digest): Resource => ({ kind: "blob", name });
