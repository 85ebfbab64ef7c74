import { digestOf } from "../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import type { ContentStore } from "../content/contract.ts";
import type { Image, ImageNaming, ImageStore } from "../images/contract.ts";
import type { Lease, Leases } from "../leases/leases.ts";
import type { MountedRoot } from "../snapshots/contract.ts";
import { outgoingImage } from "../transfer/stored-layers.ts";
import type { LayerMaker } from "./layer-maker.ts";
import { type ImageToMake, type ParentImage, type PlannedImage, planImage } from "./plan-image.ts";

export interface ImageMakerOptions {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly layers: LayerMaker;
}

interface NewImage extends Pick<ImageToMake, "config" | "history"> {
  /** Any form with tag; undefined: the image gets no name. */
  readonly reference: string | undefined;
  readonly signal: AbortSignal;
}

export interface CommitRequest extends NewImage {
  readonly parent: Image;
  /** For errors: `of container web`. */
  readonly name: string;
  readonly root: MountedRoot;
  /** Relative paths of what the engine made in the container's top. */
  readonly skipped: readonly string[];
  /** The container may go on; throws when what was copied is not to be trusted. */
  readonly onCaptured: () => Promise<void>;
}

export interface ImportRequest extends NewImage {
  readonly archive: AsyncIterable<Uint8Array>;
  readonly platform: ImageToMake["platform"];
}

/** Makes images of what no registry sent. An image is registered when all of it is stored; else nothing of it stays. */
export class ImageMaker {
  constructor(private readonly options: ImageMakerOptions) {}

  /** Errors: NotFound for a layer of the parent that has no blob any more. */
  commit({ parent, name, root, skipped, onCaptured, ...image }: CommitRequest): Promise<Image> {
    const { content, images, layers } = this.options;
    return this.#holding(async (lease) => {
      for (const chainId of parent.chainIds) lease.holdLayer(chainId);
      const { manifest } = await outgoingImage({ content, images }, parent, parent.manifest, lease);
      const top = { name, root, parent: parent.chainIds.at(-1), skipped, lease, signal: image.signal };
      const layer = await layers.fromTop(top, onCaptured);
      const before: ParentImage = { config: parent.config, layers: manifest.layers };
      const planned = planImage({ ...image, parent: before, layer, platform: parent.config });
      return this.#register(planned, image.reference, lease, { parent: parent.id });
    });
  }

  import({ archive, platform, ...image }: ImportRequest): Promise<Image> {
    return this.#holding(async (lease) => {
      const layer = await this.options.layers.fromArchive(archive, { lease, signal: image.signal });
      const planned = planImage({ ...image, parent: undefined, layer, platform });
      return this.#register(planned, image.reference, lease);
    });
  }

  async #register(
    { config, layers }: PlannedImage,
    reference: string | undefined,
    lease: Lease,
    options?: Parameters<ImageStore["add"]>[2],
  ): Promise<Image> {
    const stored = await this.#put(config, mediaTypes.ociConfig, lease);
    const mediaType = mediaTypes.ociManifest;
    const document = { schemaVersion: 2, mediaType, config: stored, layers };
    const manifest = await this.#put(document, mediaType, lease);
    const names: ImageNaming[] = reference === undefined ? [] : [{ reference, target: manifest }];
    return this.options.images.add(manifest, names, options);
  }

  async #put(document: object, mediaType: string, lease: Lease): Promise<Descriptor> {
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const digest = digestOf(bytes);
    lease.holdBlob(digest);
    await this.options.content.put(bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** What an attempt brought that failed goes away again. */
  async #holding(work: (lease: Lease) => Promise<Image>): Promise<Image> {
    let brought: Lease | undefined;
    try {
      return await this.options.leases.withLease((lease) => {
        brought = lease;
        return work(lease);
      });
    } catch (error) {
      if (brought)
        await this.options.images.collect({ blobs: [...brought.blobs], layers: [...brought.layers] });
      throw error;
    }
  }
}
