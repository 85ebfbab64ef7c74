import { notFound } from "../../errors/platform-error.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { parseIndex } from "../../formats/parse-oci-image.ts";
import {
  choosePlatform,
  formatPlatform,
  normalizePlatform,
  type Platform,
  platformDistance,
} from "../../formats/platform.ts";
import { familiarReference, parseImageName } from "../../formats/reference.ts";
import type { ContentStore } from "../content/contract.ts";
import type { Image, ImageStore } from "./contract.ts";

/** A manifest that a name stands for, directly or through an index. */
export interface PlatformManifest {
  /** Of the index' entry, with its platform and annotations; or of the manifest itself. */
  readonly descriptor: Descriptor;
  /** Undefined where that platform is not on this machine. */
  readonly image: Image | undefined;
}

export interface NamedManifests {
  /** Undefined where the name stands for a manifest, or where the index itself is not stored. */
  readonly index: Descriptor | undefined;
  readonly manifests: readonly PlatformManifest[];
}

/** The platforms of images: what a name stands for as a whole, and which parts of that are on this machine. */
export class ImagePlatforms {
  constructor(
    private readonly images: Pick<ImageStore, "resolve" | "target" | "list">,
    private readonly content: Pick<ContentStore, "has" | "read">,
  ) {}

  /** Errors: NotFound `No such image: …`. */
  async manifests(reference: string): Promise<NamedManifests> {
    const image = this.images.resolve(reference);
    const target = this.#targetOf(reference, image);
    if (!isIndex(target) || !this.content.has(target.digest)) {
      return { index: undefined, manifests: [{ descriptor: image.manifest, image }] };
    }
    const bytes = await this.content.read(target.digest);
    const here = new Map(this.images.list().map((each) => [each.manifest.digest, each]));
    here.set(image.manifest.digest, image);
    const { manifests } = parseIndex(bytes, target.mediaType, `index ${target.digest}`);
    return {
      index: target,
      manifests: manifests.map((descriptor) => ({ descriptor, image: here.get(descriptor.digest) })),
    };
  }

  /**
   * The image of a name for one platform; without one the image that the name means.
   * Errors: NotFound in Docker's words when that platform is not on this machine.
   */
  async choose(reference: string, platform: Platform | undefined): Promise<Image> {
    const image = this.images.resolve(reference);
    if (platform === undefined) return image;
    const { manifests } = await this.manifests(reference);
    return variantFor(reference, [image, ...manifests.flatMap((each) => each.image ?? [])], platform);
  }

  /** What the name stands for; of an id what one of its names stands for. */
  #targetOf(reference: string, image: Image): Descriptor {
    const names = parseImageName(reference).kind === "name" ? [reference] : [];
    const targets = [...names, ...image.tags, ...image.repoDigests].flatMap(
      (name) => this.images.target(name) ?? [],
    );
    return targets[0] ?? image.manifest;
  }
}

/** The one for a platform. Errors: NotFound in Docker's words. */
export function variantFor(reference: string, variants: readonly Image[], platform: Platform): Image {
  const chosen = choosePlatform(
    variants.map((image) => ({ image, platform: image.config })).filter(isMeant(platform)),
    platform,
  );
  if (chosen) return chosen.image;
  const there = [...new Set(variants.map(({ config }) => formatPlatform(config)))];
  throw notFound(
    `image with reference ${shown(reference)} was found but does not provide the specified platform ` +
      `(${formatPlatform(platform)})`,
    { code: "image.platform", hint: `on this machine it is there for ${there.join(", ")}` },
  );
}

/** Who asks for one platform does not want what merely runs on it. */
const isMeant =
  (wanted: Platform) =>
  ({ platform }: { readonly platform: Platform }): boolean =>
    platformDistance(wanted, platform) !== undefined &&
    normalizePlatform(wanted).architecture === normalizePlatform(platform).architecture;

export const isIndex = ({ mediaType }: Descriptor): boolean =>
  mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;

function shown(reference: string): string {
  const name = parseImageName(reference);
  return name.kind === "name" ? familiarReference(name.reference) : reference;
}
