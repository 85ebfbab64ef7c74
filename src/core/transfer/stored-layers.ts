import { notFound, type PlatformError } from "../../errors/platform-error.ts";
import { type Digest, digestAlgorithm, digestOf } from "../../formats/digest.ts";
import { type Descriptor, type Manifest, mediaTypes } from "../../formats/oci-image.ts";
import { inOciType } from "../../formats/oci-types.ts";
import { parseManifest, parseManifestDocument } from "../../formats/parse-oci-image.ts";
import { familiarReference, parseReference } from "../../formats/reference.ts";
import type { ContentStore } from "../content/contract.ts";
import type { Image, ImageStore } from "../images/contract.ts";
import type { Lease } from "../leases/leases.ts";

export interface StoredLayerServices {
  readonly content: ContentStore;
  readonly images: ImageStore;
}

/** An image as it leaves: every layer of the manifest is a blob that can be read, or is a foreign one. */
export interface OutgoingImage {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** One for each layer. */
  readonly diffIds: readonly Digest[];
}

/** Where a layer can be that is not stored. */
export interface OtherPlaces {
  /** Whether it need not be sent. */
  readonly isElsewhere?: (layer: Descriptor) => Promise<boolean>;
  /** Brings it into the store; otherwise says why it cannot. */
  readonly fetch?: (layer: Descriptor) => Promise<string | undefined>;
  /** Foreign layers need not be here: they are not sent. */
  readonly staysForeign?: boolean;
  /** An index names the manifest: it cannot be another one. */
  readonly isExact?: boolean;
}

/**
 * Reads the manifest of an image that is to leave, and holds its blobs.
 *
 * A layer that was unpacked already when its image was pulled has no blob of that image's compression. Then the
 * same layer as another image has it takes its place, in a manifest made for it; where there is none, it is fetched.
 * A foreign layer is fetched, so that its descriptor with the `urls` stays.
 * Errors: NotFound that names the layer when there is no blob at all.
 */
export async function outgoingImage(
  services: StoredLayerServices,
  image: Image,
  descriptor: Descriptor,
  lease: Lease,
  { isElsewhere, fetch, staysForeign = false, isExact = false }: OtherPlaces = {},
): Promise<OutgoingImage> {
  const { content } = services;
  lease.holdBlob(descriptor.digest);
  const bytes = await content.read(descriptor.digest);
  const manifest = parseManifest(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`);
  for (const { digest } of [manifest.config, ...manifest.layers]) lease.holdBlob(digest);
  const diffIds = image.config.rootfs.diff_ids;
  const findLayer = async (layer: Descriptor, diffId: Digest | undefined): Promise<Descriptor> => {
    const isLeft = staysForeign && isForeign(layer);
    if (content.has(layer.digest) || isLeft || (await isElsewhere?.(layer))) return layer;
    const other = isExact || isForeign(layer) ? undefined : await sameLayer(services, diffId);
    if (other !== undefined) {
      lease.holdBlob(other.digest);
      return other;
    }
    const reason = fetch ? await fetch(layer) : "";
    if (reason !== undefined) throw missingLayer(image, layer, reason);
    return layer;
  };
  const layers: Descriptor[] = [];
  // One after another: when one cannot be had, nothing may go on after the lease has ended.
  for (const [index, layer] of manifest.layers.entries()) layers.push(await findLayer(layer, diffIds[index]));
  if (layers.every((layer, index) => layer === manifest.layers[index])) {
    return { descriptor, bytes, manifest, diffIds };
  }
  return { ...(await rewritten(content, descriptor, { bytes, manifest }, layers, lease)), diffIds };
}

/** Layers that their makers do not want to be copied: OCI's nondistributable, Docker's foreign ones. */
export function isForeign({ mediaType }: Descriptor): boolean {
  return mediaType.includes(".nondistributable.") || mediaType.includes(".foreign.");
}

async function sameLayer(
  services: StoredLayerServices,
  diffId: Digest | undefined,
): Promise<Descriptor | undefined> {
  if (diffId === undefined) return undefined;
  for (const image of services.images.list()) {
    const index = image.config.rootfs.diff_ids.indexOf(diffId);
    if (index < 0) continue;
    for (const manifest of await manifestsOf(services, image)) {
      const layer = manifest.layers[index];
      if (manifest.config.digest === image.id && layer && services.content.has(layer.digest)) return layer;
    }
  }
  return undefined;
}

/** An image can have come by several manifests, whose layers are compressed in different ways. */
async function manifestsOf({ content, images }: StoredLayerServices, image: Image): Promise<Manifest[]> {
  const targets = [...image.tags, ...image.repoDigests].flatMap((name) => images.target(name) ?? []);
  const manifests: Manifest[] = [];
  // Of an image that came in an archive, or is being removed, not all may be here.
  for (const { digest, mediaType } of [image.manifest, ...targets].filter((each) =>
    content.has(each.digest),
  )) {
    const document = parseManifestDocument(await content.read(digest), mediaType, `manifest ${digest}`);
    if (document.kind === "manifest") manifests.push(document);
    else {
      const stored = document.manifests.filter((entry) => content.has(entry.digest));
      for (const entry of stored) {
        const bytes = await content.read(entry.digest);
        const inner = parseManifestDocument(bytes, entry.mediaType, `manifest ${entry.digest}`);
        if (inner.kind === "manifest") manifests.push(inner);
      }
    }
  }
  return manifests;
}

/**
 * The same manifest with other layers, in OCI's types whatever it had: a manifest of Docker's in which one layer is
 * OCI's is refused by others (skopeo, podman), and Docker has no type of its own for zstd.
 */
async function rewritten(
  content: ContentStore,
  { digest }: Descriptor,
  before: { readonly bytes: Uint8Array; readonly manifest: Manifest },
  layers: readonly Descriptor[],
  lease: Lease,
): Promise<Omit<OutgoingImage, "diffIds">> {
  const mediaType = mediaTypes.ociManifest;
  const document: object = JSON.parse(new TextDecoder().decode(before.bytes));
  const parts = { mediaType, config: inOciType(before.manifest.config), layers: layers.map(inOciType) };
  const bytes = new TextEncoder().encode(JSON.stringify({ ...document, ...parts }));
  const manifest = parseManifest(bytes, mediaType, "manifest");
  const algorithm = digestAlgorithm(digest);
  lease.holdBlob(digestOf(bytes, algorithm));
  const stored = await content.put(bytes, algorithm);
  return { descriptor: { mediaType, digest: stored, size: bytes.length }, bytes, manifest };
}

function missingLayer(image: Image, { digest }: Descriptor, reason: string): PlatformError {
  const [name] = [...image.tags, ...image.repoDigests];
  const shown = name === undefined ? image.id : familiarReference(parseReference(name));
  return notFound(`layer ${digest} of image ${shown} is unpacked, but its compressed blob is not stored`, {
    code: "content.missing",
    hint: `${reason && `it cannot be fetched (${reason}): `}remove the images that share the layer, and pull this one again`,
  });
}
