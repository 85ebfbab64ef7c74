import { type Digest, digestAlgorithm, digestHex } from "../../formats/digest.ts";
import type { Descriptor, ImageConfigFile, Manifest } from "../../formats/oci-image.ts";
import { familiarReference, parseReference } from "../../formats/reference.ts";
import type { ImageNaming } from "../images/contract.ts";
import { imagesOfName } from "../images/name-record.ts";
import type { Survey } from "./survey.ts";

/** An image as its sidecars describe it: what it needs, and what it is called. */
export interface ImageUse {
  readonly id: Digest;
  /** Whether it has a sidecar of its own. */
  readonly isRecorded: boolean;
  /** Each manifest by which it came; the recorded one first. */
  readonly manifests: readonly Descriptor[];
  /** What its names stand for, where that is no manifest of it. */
  readonly indexes: readonly Descriptor[];
  readonly names: readonly ImageNaming[];
  /** For people: its names, or its id. */
  readonly shown: string;
}

export function imagesOf(survey: Survey): ImageUse[] {
  const ids = new Set([...survey.images.map(({ id }) => id), ...survey.references.map(({ image }) => image)]);
  return [...ids].map((id) => {
    const record = survey.images.find((image) => image.id === id);
    const references = survey.references.flatMap((name) =>
      imagesOfName(name).flatMap(({ image, manifest }) => (image === id ? { ...name, manifest } : [])),
    );
    const manifests = distinct([
      ...(record ? [record.manifest] : []),
      ...references.map(({ manifest }) => manifest),
    ]);
    const targets = distinct(references.map(({ target }) => target));
    const indexes = targets.filter(({ digest }) => !manifests.some((manifest) => manifest.digest === digest));
    const names = references.map(({ reference, target }) => ({ reference, target }));
    return { id, isRecorded: record !== undefined, manifests, indexes, names, shown: shownName(id, names) };
  });
}

function distinct(descriptors: readonly Descriptor[]): Descriptor[] {
  return [...new Map(descriptors.map((one) => [one.digest, one] as const)).values()];
}

function shownName(id: Digest, names: readonly ImageNaming[]): string {
  const tags = names.map(({ reference }) => reference).filter((name) => !name.includes("@"));
  const best = tags.length > 0 ? tags : names.slice(0, 1).map(({ reference }) => reference);
  if (best.length === 0) return id;
  return best.sort().map(familiar).join(", ");
}

function familiar(name: string): string {
  try {
    return familiarReference(parseReference(name));
  } catch {
    return name;
  }
}

export function manifestOf(survey: Survey, digest: Digest): Manifest | undefined {
  const document = survey.documents.get(digest);
  return document?.kind === "manifest" ? document.manifest : undefined;
}

export function configOf(survey: Survey, digest: Digest): ImageConfigFile | undefined {
  const document = survey.documents.get(digest);
  return document?.kind === "config" ? document.config : undefined;
}

/** Layer blobs by the diff id of what they unpack to: the same layer may be there in several compressions. */
export function blobsByDiffId(survey: Survey, images: readonly ImageUse[]): Map<Digest, Descriptor[]> {
  const found = new Map<Digest, Descriptor[]>();
  for (const { digest } of images.flatMap(({ manifests }) => manifests)) {
    const manifest = manifestOf(survey, digest);
    const config = manifest && configOf(survey, manifest.config.digest);
    if (!manifest || config?.rootfs.diff_ids.length !== manifest.layers.length) continue;
    for (const [index, layer] of manifest.layers.entries()) {
      const diffId = config.rootfs.diff_ids[index];
      if (diffId !== undefined) found.set(diffId, [...(found.get(diffId) ?? []), layer]);
    }
  }
  return found;
}

export function blobPath({ root }: Survey, digest: Digest): string {
  return `${root}/content/blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

export function layerPath({ root }: Survey, chainId: Digest): string {
  return `${root}/snapshots/layers/${digestHex(chainId)}`;
}
