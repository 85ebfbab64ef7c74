import { chainIds } from "../../formats/chain-id.ts";
import type { Platform } from "../../formats/platform.ts";
import {
  canonicalReference,
  familiarReference,
  parseReference,
  withDefaultTag,
} from "../../formats/reference.ts";
import type { Image, ImageStore } from "../images/contract.ts";
import type { Lease } from "../leases/leases.ts";
import type { ArchivedImage, ArchiveSpooler } from "./archive/contract.ts";
import { readImageArchive } from "./archive/read-image-archive.ts";
import type { Progress } from "./contract.ts";
import type { LayerServices, WantedLayer } from "./fetch-layer.ts";
import { fetchLayers } from "./fetch-layers.ts";
import { LoadLine } from "./layer-line.ts";
import { Limit } from "./limit.ts";

export interface LoadServices extends LayerServices {
  readonly images: ImageStore;
  readonly spooler: ArchiveSpooler;
  /** On the file system of the content store. */
  readonly spoolDirectory: string;
  /** Chooses from an index in the archive. */
  readonly platform: Platform;
}

export interface ArchiveLoad {
  readonly archive: AsyncIterable<Uint8Array>;
  readonly lease: Lease;
  /** The user's wish: nothing else will do. */
  readonly platforms: readonly Platform[];
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** How many layers of one image are unpacked at the same time. */
const parallelLayers = 4;

/**
 * Loads all images of an archive: blobs into the content store, layers unpacked, names set. An image of the
 * archive is registered when it is whole; those before a broken one stay.
 * Errors: those of the archive and of its layers; InvalidParameter for a name that is none.
 */
export async function loadArchive(
  services: LoadServices,
  load: ArchiveLoad,
): Promise<{ image: Image; loaded: string }[]> {
  const { archive, lease, onProgress, signal } = load;
  const { spooler, spoolDirectory, platform, content } = services;
  const images = await readImageArchive(archive, {
    blobs: content,
    hold: (digest) => lease.holdBlob(digest),
    spooler,
    spoolDirectory,
    platforms: load.platforms.length > 0 ? load.platforms : [platform],
    isPlatformWanted: load.platforms.length > 0,
    signal,
  });
  for (const { diffIds } of images) for (const chainId of chainIds(diffIds)) lease.holdLayer(chainId);
  const named = images.map((image) => ({
    image,
    names: image.repoTags.map((tag) => withDefaultTag(parseReference(tag))),
  }));
  const loaded: { image: Image; loaded: string }[] = [];
  for (const { image: archived, names } of named) {
    await fetchLayers(services, {
      layers: wantedLayers(archived),
      remote: undefined,
      downloads: new Limit(parallelLayers),
      lineOf: ({ descriptor, diffId }) => new LoadLine(diffId, descriptor.size, onProgress),
      signal,
    });
    for (const name of names) sayRenaming(services.images, canonicalReference(name), archived, onProgress);
    const target = archived.index ?? archived.manifest;
    const image = await services.images.add(
      archived.manifest,
      names.map((name) => ({ reference: canonicalReference(name), target })),
    );
    const shown = names.length > 0 ? names.map(familiarReference) : [image.id];
    loaded.push(...shown.map((text) => ({ image, loaded: text })));
  }
  return loaded;
}

function wantedLayers({ layers, diffIds }: ArchivedImage): WantedLayer[] {
  const chain = chainIds(diffIds);
  return layers.flatMap((descriptor, index) => {
    const [diffId, chainId] = [diffIds[index], chain[index]];
    if (diffId === undefined || chainId === undefined) return [];
    return [{ descriptor, diffId, chainId, parent: chain[index - 1] }];
  });
}

/** Docker's text for a name that is about to move. */
function sayRenaming(
  images: ImageStore,
  name: string,
  { config, index }: ArchivedImage,
  onProgress: ArchiveLoad["onProgress"],
): void {
  const before = images.find(name);
  if (before === undefined || before.id === config.digest) return;
  if (index !== undefined && images.target(name)?.digest === index.digest) return; // another platform of the same
  const shown = familiarReference(parseReference(name));
  onProgress({
    stream: `The image ${shown} already exists, renaming the old one with ID ${before.id} to empty string\n`,
  });
}
