import type { AnatomyRequest } from "../../core/anatomy/describe-anatomy.ts";
import type { ContentStore } from "../../core/content/contract.ts";
import type { Image, ImageStore } from "../../core/images/contract.ts";
import type { ImagePlatforms, NamedManifests } from "../../core/images/image-platforms.ts";
import { loadImage } from "../../core/images/load-image.ts";
import type { Leases } from "../../core/leases/leases.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { invalidParameter } from "../../errors/platform-error.ts";
import { type Digest, shortDigest } from "../../formats/digest.ts";
import type { Descriptor, Manifest } from "../../formats/oci-image.ts";
import { formatPlatform, type Platform } from "../../formats/platform.ts";
import type { BlobOutline, HistoryStep, ImageOutline, LayerOutline } from "../../wire/image-anatomy.ts";
import { familiar, familiarDigests } from "./familiar-names.ts";
import { imageSteps } from "./image-steps.ts";

/** Looks into layers off the event loop; unpack's WorkerPool does it. Out: JSON of an ImageAnatomy. */
export interface LayerWork {
  anatomy(request: AnatomyRequest, signal: AbortSignal): Promise<string>;
}

export interface ExplainOptions {
  readonly platform: Platform | undefined;
  /** How many files are named in each layer. */
  readonly limit: number;
  /** All files of this one, counted from 1, and none of the others. */
  readonly layer: number | undefined;
  readonly signal: AbortSignal;
}

/** Says what an image is made of: its documents, its layers, and what in them is for nothing. */
export class ImageExplainer {
  constructor(
    private readonly images: ImageStore,
    private readonly content: ContentStore,
    private readonly snapshots: Pick<Snapshotter, "layer" | "layerFiles">,
    private readonly leases: Leases,
    private readonly platforms: ImagePlatforms,
    private readonly work: LayerWork,
  ) {}

  /** JSON of an ImageAnatomy. Errors: NotFound; InvalidParameter for a layer that the image does not have. */
  async explain(reference: string, { platform, limit, layer, signal }: ExplainOptions): Promise<string> {
    return await this.leases.withLease(async (lease) => {
      const image = await this.platforms.choose(reference, platform);
      for (const chainId of image.chainIds) lease.holdLayer(chainId);
      const count = image.chainIds.length;
      if (layer !== undefined && (layer < 1 || layer > count)) {
        throw invalidParameter(`image ${reference} has no layer ${layer}`, {
          hint: `its layers are counted from 1 to ${count}`,
        });
      }
      const outline = await this.#outline(reference, image);
      const files = image.chainIds.map((chainId) => this.snapshots.layerFiles(chainId));
      return this.work.anatomy({ outline, files, limit, ...(layer === undefined ? {} : { layer }) }, signal);
    });
  }

  async #outline(reference: string, image: Image): Promise<ImageOutline> {
    const { manifest } = await loadImage(this.content, image.manifest);
    const { config } = image;
    const index = indexOutline(await this.platforms.manifests(reference), image);
    return {
      id: image.id,
      names: [...image.tags.map(familiar), ...familiarDigests(image)],
      platform: formatPlatform(config),
      ...(config.created === undefined ? {} : { created: config.created }),
      ...(index === undefined ? {} : { index }),
      manifest: blobOutline(image.manifest),
      config: blobOutline(manifest.config),
      history: historyOf(image),
      layers: this.#layers(image, manifest),
    };
  }

  #layers(image: Image, manifest: Manifest): LayerOutline[] {
    const steps = imageSteps(image.config);
    const others = this.images.list().filter(({ id }) => id !== image.id);
    return manifest.layers.flatMap((blob, index) => {
      const [chainId, diffId] = [image.chainIds[index], image.config.rootfs.diff_ids[index]];
      if (chainId === undefined || diffId === undefined) return [];
      return [
        {
          number: index + 1,
          diffId,
          chainId,
          blob: blobOutline(blob),
          isStored: this.content.has(blob.digest),
          unpackedBytes: this.snapshots.layer(chainId)?.sizeBytes ?? 0,
          instruction: steps.find(({ layer }) => layer === index)?.entry.created_by ?? "",
          sharedWith: others.filter((other) => other.chainIds.includes(chainId)).map(nameOf),
        },
      ];
    });
  }
}

function indexOutline({ index, manifests }: NamedManifests, image: Image): ImageOutline["index"] {
  if (index === undefined) return undefined;
  const entries = manifests.map(({ descriptor, image: own }) => ({
    ...blobOutline(descriptor),
    platform: descriptor.platform ? formatPlatform(descriptor.platform) : "unknown/unknown",
    isHere: own !== undefined,
    isChosen: own?.id === image.id,
  }));
  return { ...blobOutline(index), entries };
}

const historyOf = (image: Image): HistoryStep[] =>
  imageSteps(image.config).map(({ entry, layer }) => ({
    instruction: entry.created_by ?? "",
    ...(entry.created === undefined ? {} : { created: entry.created }),
    ...(layer === undefined ? {} : { layer: layer + 1 }),
  }));

const blobOutline = ({ mediaType, digest, size }: Descriptor): BlobOutline => ({
  mediaType,
  digest,
  sizeBytes: size,
});

const nameOf = (image: Image): string => {
  const name: string | undefined = image.tags[0] ?? image.repoDigests[0];
  const id: Digest = image.id;
  return name === undefined ? shortDigest(id) : familiar(name);
};
