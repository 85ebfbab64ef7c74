import { PlatformError } from "../../errors/platform-error.ts";
import { pickPlatform } from "../../formats/platform.ts";
import { canonicalReference, type Reference, repositoryName } from "../../formats/reference.ts";
import type { Descriptor, Digest } from "../content/contract.ts";
import type { Image } from "../images/contract.ts";
import { isIndex } from "../images/image-platforms.ts";
import type { Lease } from "../leases/leases.ts";
import type { Progress, RemoteUploads } from "./contract.ts";
import type { Limit } from "./limit.ts";
import type { MountSources } from "./mount-sources.ts";
import { PushLine } from "./push-line.ts";
import { isForeign, type OutgoingImage, outgoingImage, type StoredLayerServices } from "./stored-layers.ts";

export interface PushServices extends StoredLayerServices {
  /** How many layers go up at the same time, by all pushes together. */
  readonly uploads: Limit;
}

export interface ImagePush {
  /** With a tag. */
  readonly reference: Reference;
  readonly image: Image;
  /** Whether the user asked for this one platform of the name. */
  readonly isPlatformWanted: boolean;
  readonly uploads: RemoteUploads;
  readonly sources: MountSources;
  /** Brings a layer that is not stored; otherwise says why it cannot. */
  readonly fetch: (image: Image, layer: Descriptor) => Promise<string | undefined>;
  /** Holds the blobs until they are up. */
  readonly lease: Lease;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/**
 * One push: layers, config, then the manifest under its tag, so that the tag never means something that is not
 * there. Blobs go up as they are stored; those that the registry has are not sent. Progress in Docker's texts.
 */
export async function pushImage(services: PushServices, push: ImagePush): Promise<void> {
  const { reference, uploads, signal } = push;
  const outgoing = await pushBlobs(services, push, pushedManifest(services, push));
  const tag = reference.tag ?? "latest";
  await putManifest(uploads, tag, outgoing, signal);
  const byDigest = `${repositoryName(reference)}@${outgoing.descriptor.digest}`;
  await services.images.add(outgoing.descriptor, [{ reference: byDigest, target: outgoing.descriptor }]);
  sayDone(push, tag, outgoing.descriptor);
}

/** The same for an index of which every platform is here: each manifest by its digest, then the index under the tag. */
export async function pushIndex(
  services: PushServices,
  index: Descriptor,
  pushes: readonly ImagePush[],
): Promise<void> {
  const [first] = pushes;
  if (first === undefined) return;
  const { reference, uploads, lease, signal } = first;
  lease.holdBlob(index.digest);
  const bytes = await services.content.read(index.digest);
  for (const push of pushes) {
    const outgoing = await pushBlobs(services, push, push.image.manifest, { isExact: true });
    await putManifest(uploads, outgoing.descriptor.digest, outgoing, signal);
  }
  const tag = reference.tag ?? "latest";
  await uploads.putManifest(tag, index, bytes, signal);
  const byDigest = `${repositoryName(reference)}@${index.digest}`;
  for (const { image } of pushes) {
    await services.images.add(image.manifest, [{ reference: byDigest, target: index }]);
  }
  sayDone(first, tag, index);
}

/** Errors: of a manifest whose layers have URLs with a hint, since registries refuse it with words that say nothing. */
async function putManifest(
  uploads: RemoteUploads,
  name: string,
  { descriptor, bytes, manifest }: OutgoingImage,
  signal: AbortSignal,
): Promise<void> {
  try {
    await uploads.putManifest(name, descriptor, bytes, signal);
  } catch (error) {
    const hasUrls = manifest.layers.some(({ urls = [] }) => urls.length > 0);
    if (!hasUrls || !(error instanceof PlatformError) || error.hint !== undefined) throw error;
    const { kind, message, code } = error;
    const hint =
      "layers of the image have urls: the registry may have to allow them (distribution: validation.manifests.urls)";
    throw new PlatformError(kind, message, { code, hint, cause: error });
  }
}

/** What the manifest needs is in the registry afterwards. */
async function pushBlobs(
  services: PushServices,
  push: ImagePush,
  descriptor: Descriptor,
  { isExact = false } = {},
): Promise<OutgoingImage> {
  const { image, uploads, lease, signal } = push;
  const takesForeign = await uploads.takesForeignLayers();
  const outgoing = await outgoingImage(services, image, descriptor, lease, {
    staysForeign: !takesForeign,
    isElsewhere: ({ digest }) => uploads.hasBlob(digest, signal),
    fetch: (layer) => push.fetch(image, layer),
    isExact,
  });
  await pushLayers(services, push, outgoing, takesForeign);
  await ensureBlob(services, push, outgoing.manifest.config, undefined);
  return outgoing;
}

/** What the name stands for; of an index the one manifest that is here, and then the client is told. */
function pushedManifest(
  { content, images }: StoredLayerServices,
  { reference, image, isPlatformWanted, onProgress }: ImagePush,
): Descriptor {
  const target = images.target(canonicalReference(reference));
  if (isPlatformWanted || target === undefined) return image.manifest;
  if (!isIndex(target)) return content.has(target.digest) ? target : image.manifest;
  const aux = {
    manifestPushedInsteadOfIndex: true,
    originalIndex: target,
    selectedManifest: { ...image.manifest, platform: pickPlatform(image.config) },
  };
  onProgress({ progressDetail: {}, aux });
  return image.manifest;
}

/** The first error stops the others; when this settles, nothing runs any more. */
async function pushLayers(
  services: PushServices,
  push: ImagePush,
  { manifest, diffIds }: OutgoingImage,
  takesForeign: boolean,
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([push.signal, failure.signal]);
  const lines = manifest.layers.map(
    ({ digest, size }, index) => new PushLine(diffIds[index] ?? digest, size, push.onProgress),
  );
  for (const line of lines) line.preparing();
  // The same layer can be in an image twice: the second time it is there.
  const last = new Map<Digest, Promise<void>>();
  const work = manifest.layers.map((layer, index) => {
    const line = lines[index];
    const before = last.get(layer.digest);
    const one = (async () => {
      await before;
      using _place = await services.uploads.enter(signal, () => line?.waiting());
      if (isForeign(layer) && !takesForeign) line?.skippedForeign();
      else await ensureBlob(services, { ...push, signal }, layer, line);
    })();
    one.catch((error) => failure.abort(error));
    last.set(layer.digest, one);
    return one;
  });
  await Promise.allSettled(work);
  if (failure.signal.aborted) throw failure.signal.reason;
}

async function ensureBlob(
  { content }: StoredLayerServices,
  { uploads, sources, signal }: ImagePush,
  descriptor: Descriptor,
  line: PushLine | undefined,
): Promise<void> {
  const outcome = await uploads.ensureBlob({
    descriptor,
    open: (range) => content.readStream(descriptor.digest, range),
    mountFrom: sources.pathsOf(descriptor.digest),
    onProgress: (bytes) => line?.pushing(bytes),
    onRetry: (seconds) => line?.retrying(seconds),
    signal,
  });
  line?.done(outcome);
}

function sayDone({ onProgress }: ImagePush, tag: string, { digest, size }: Descriptor): void {
  onProgress({ status: `${tag}: digest: ${digest} size: ${size}` });
  onProgress({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } });
}
