import { invalidParameter, PlatformError, unavailable } from "../../errors/platform-error.ts";
import { chainIds } from "../../formats/chain-id.ts";
import { digestAlgorithm, digestOf } from "../../formats/digest.ts";
import type { Descriptor, ImageConfigFile } from "../../formats/oci-image.ts";
import { parseImageConfig } from "../../formats/parse-oci-image.ts";
import { choosePlatform, formatPlatform, type Platform, platformDistance } from "../../formats/platform.ts";
import {
  canonicalReference,
  familiarReference,
  type Reference,
  withDigest,
} from "../../formats/reference.ts";
import type { ContentStore } from "../content/contract.ts";
import type { Image, ImageNaming, ImageStore } from "../images/contract.ts";
import { checkLayerCount } from "../images/load-image.ts";
import type { Lease } from "../leases/leases.ts";
import { type ChosenManifest, chooseManifest } from "./choose-manifest.ts";
import type { OnRetry, Progress, RemoteRepository } from "./contract.ts";
import { embeddedContent } from "./embedded-data.ts";
import type { LayerServices, WantedLayer } from "./fetch-layer.ts";
import { fetchLayers } from "./fetch-layers.ts";
import { PullLine } from "./layer-line.ts";
import type { Limit } from "./limit.ts";

export interface PullServices extends LayerServices {
  readonly images: ImageStore;
  /** How many layers are downloaded at the same time, by all pulls together. */
  readonly downloads: Limit;
}

export interface ImagePull {
  /** With a tag or a digest. */
  readonly reference: Reference;
  readonly remote: RemoteRepository;
  readonly platform: Platform;
  /** Whether the user asked for this platform, so that no other will do. */
  readonly isPlatformWanted: boolean;
  /** Holds everything that the image needs, before it is looked for. */
  readonly lease: Lease;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** The largest config file that is taken. */
const maxConfigBytes = 8 << 20;

/**
 * One pull: resolve, choose the platform's manifest, fetch config and layers, register. Nothing gets a name
 * before everything is there. Progress in the texts and order of Docker's engine.
 */
export async function pullImage(
  services: PullServices,
  pull: ImagePull,
): Promise<{ image: Image; changed: boolean }> {
  const { reference, remote, lease, signal } = pull;
  const target = await remote.resolve(signal, sayWaiting(pull));
  lease.holdBlob(target.digest);
  const before = imageBefore(services.images, pull);
  if (before && isUpToDate(services.images, pull, before, target)) {
    // Somebody may be removing it at this moment: then it is named anew, and nothing of it has gone.
    for (const digest of services.images.blobs(before)) lease.holdBlob(digest);
    for (const chainId of before.chainIds) lease.holdLayer(chainId);
    sayBegin(pull);
    await services.images.add(before.manifest, namesOf(reference, target));
    return finish(pull, target, { image: before, changed: false });
  }
  const chosen = await chooseManifest(target, pull.platform, (descriptor) =>
    fetchDocument(services.content, pull, descriptor),
  );
  sayBegin(pull);
  for (const blob of [chosen.manifest.config, ...chosen.manifest.layers]) requireSize(services.content, blob);
  await keepEmbedded(services.content, pull, chosen);
  const config = await fetchConfig(services.content, pull, chosen);
  for (const { descriptor, bytes } of chosen.documents) {
    await services.content.put(bytes, digestAlgorithm(descriptor.digest));
  }
  await fetchLayers(services, {
    layers: wantedLayers(chosen, config, lease),
    remote,
    downloads: services.downloads,
    lineOf: ({ descriptor }) => new PullLine(descriptor.digest, descriptor.size, pull.onProgress),
    signal,
  });
  const image = await services.images.add(chosen.descriptor, namesOf(reference, target));
  return finish(pull, target, { image, changed: image.id !== before?.id });
}

/** What the name means so far, for the platform that is wanted now where there is one. */
function imageBefore(images: ImageStore, { reference, platform }: ImagePull): Image | undefined {
  const name = canonicalReference(reference);
  if (images.find(name) === undefined) return undefined;
  const variants = images.variants(name).map((image) => ({ image, platform: image.config }));
  return (choosePlatform(variants, platform) ?? variants[0])?.image;
}

/** The name means the same as in the registry, and for the platform that is wanted now. */
function isUpToDate(images: ImageStore, pull: ImagePull, before: Image, target: Descriptor): boolean {
  if (images.target(canonicalReference(pull.reference))?.digest !== target.digest) return false;
  const isOnlyManifest = before.manifest.digest === target.digest && !pull.isPlatformWanted;
  return isOnlyManifest || platformDistance(pull.platform, before.config) !== undefined;
}

/** The tag as it was asked for, and the digest that it meant. */
function namesOf(reference: Reference, target: Descriptor): ImageNaming[] {
  const byDigest = canonicalReference(withDigest(reference, target.digest));
  const names = reference.digest === undefined ? [canonicalReference(reference), byDigest] : [byDigest];
  return names.map((name) => ({ reference: name, target }));
}

async function fetchDocument(
  content: ContentStore,
  pull: ImagePull,
  descriptor: Descriptor,
): Promise<Uint8Array> {
  const { remote, lease, signal } = pull;
  lease.holdBlob(descriptor.digest);
  if (content.has(descriptor.digest)) {
    requireSize(content, descriptor);
    return await content.read(descriptor.digest);
  }
  const embedded = embeddedContent(descriptor);
  if (embedded !== undefined) return embedded;
  return await remote.manifest(descriptor, signal, sayWaiting(pull));
}

/**
 * A blob that is here already is not asked for, so nobody else notices that its descriptor lies about its size: an
 * image whose manifest no registry would take, and no archive could hold.
 */
function requireSize(content: ContentStore, { digest, size }: Descriptor): void {
  const stored = content.size(digest);
  if (stored === undefined || stored === size) return;
  throw unavailable(`blob ${digest} has ${stored} bytes, its descriptor promises ${size}`, {
    code: "registry.wrong-size",
  });
}

/** What the manifest carries itself is there, and not downloaded. */
async function keepEmbedded(
  content: ContentStore,
  { lease }: ImagePull,
  { manifest }: ChosenManifest,
): Promise<void> {
  for (const descriptor of [manifest.config, ...manifest.layers]) {
    const bytes = embeddedContent(descriptor);
    if (bytes === undefined) continue;
    lease.holdBlob(descriptor.digest);
    await content.put(bytes, digestAlgorithm(descriptor.digest));
  }
}

async function fetchConfig(
  content: ContentStore,
  pull: ImagePull,
  { manifest }: ChosenManifest,
): Promise<ImageConfigFile> {
  const { digest } = manifest.config;
  pull.lease.holdBlob(digest);
  const bytes = content.has(digest)
    ? await content.read(digest)
    : await downloadSmall(pull, manifest.config, maxConfigBytes);
  const config = parseImageConfig(bytes, `image config ${digest}`);
  checkLayerCount(manifest, config);
  requirePlatform(pull, config);
  await content.put(bytes, digestAlgorithm(digest));
  return config;
}

async function downloadSmall(
  pull: ImagePull,
  descriptor: Descriptor,
  limitBytes: number,
): Promise<Uint8Array> {
  const { remote, signal } = pull;
  const { digest, size } = descriptor;
  if (size > limitBytes)
    throw invalidParameter(`image config ${digest} has ${size} bytes, more than is sensible`);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of remote.blob(descriptor, 0, signal, sayWaiting(pull))) {
    length += part.length;
    if (length > size) break;
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  if (length === size && digestOf(bytes, digestAlgorithm(digest)) === digest) return bytes;
  if (remote.reject(descriptor)) return downloadSmall(pull, descriptor, limitBytes);
  throw unavailable(`image config verification failed for digest ${digest}`, {
    code: "content.digest-mismatch",
  });
}

/** An image without an index says its platform only in its config. */
function requirePlatform(
  { reference, platform, isPlatformWanted }: ImagePull,
  config: ImageConfigFile,
): void {
  if (!isPlatformWanted || platformDistance(platform, config) !== undefined) return;
  throw new PlatformError(
    "NotFound",
    `image with reference ${familiarReference(reference)} was found but its platform (${formatPlatform(config)}) ` +
      `does not match the specified platform (${formatPlatform(platform)})`,
    { code: "image.platform" },
  );
}

function wantedLayers(
  { manifest }: ChosenManifest,
  { rootfs }: ImageConfigFile,
  lease: Lease,
): WantedLayer[] {
  const chain = chainIds(rootfs.diff_ids);
  return manifest.layers.flatMap((descriptor, index) => {
    const [diffId, chainId] = [rootfs.diff_ids[index], chain[index]];
    if (diffId === undefined || chainId === undefined) return [];
    lease.holdBlob(descriptor.digest);
    lease.holdLayer(chainId);
    return [{ descriptor, diffId, chainId, parent: chain[index - 1] }];
  });
}

/** A pause of seconds, as a registry with a rate limit asks for it, is said: a silent pull looks like a dead one. */
function sayWaiting({ reference, onProgress }: ImagePull): OnRetry {
  const id = lineOf(reference);
  return (seconds) => {
    if (seconds > 1) onProgress({ status: `Waiting for the registry, retrying in ${seconds} seconds`, id });
  };
}

/** Said once it is clear that there is something to pull: what fails before is answered as a plain error. */
function sayBegin({ reference, onProgress }: ImagePull): void {
  onProgress({ status: `Pulling from ${reference.path}`, id: lineOf(reference) });
}

/** Before the pull as a whole Docker writes a tag, or the whole name with its digest. */
const lineOf = (reference: Reference): string =>
  reference.digest === undefined
    ? (reference.tag ?? "latest")
    : canonicalReference(withDigest(reference, reference.digest));

function finish<T extends { image: Image; changed: boolean }>(
  { reference, onProgress }: ImagePull,
  target: Descriptor,
  result: T,
): T {
  const shown = familiarReference(reference.digest ? withDigest(reference, reference.digest) : reference);
  onProgress({ status: `Digest: ${target.digest}` });
  onProgress(pullStatus(result.changed, shown));
  return result;
}

/** The last line of a pull. */
export function pullStatus(changed: boolean, name: string): Progress {
  return { status: `Status: ${changed ? "Downloaded newer image" : "Image is up to date"} for ${name}` };
}
