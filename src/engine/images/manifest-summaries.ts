import type { ContentStore } from "../../core/content/contract.ts";
import type { Image } from "../../core/images/contract.ts";
import type { ImagePlatforms, PlatformManifest } from "../../core/images/image-platforms.ts";
import { blobsOf } from "../../core/images/load-image.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import { parseManifest } from "../../formats/parse-oci-image.ts";
import { pickPlatform } from "../../formats/platform.ts";

/** engine-api.yaml, ImageManifestSummary. */
export interface ManifestSummary {
  readonly ID: string;
  readonly Descriptor: Descriptor;
  readonly Available: boolean;
  readonly Size: { readonly Total: number; readonly Content: number };
  readonly Kind: "image" | "attestation" | "unknown";
  readonly ImageData?: object;
  readonly AttestationData?: { readonly For: string };
}

/** What an image's name stands for, and each manifest of it: those that are here, and those that could be pulled. */
export class ManifestSummaries {
  constructor(
    private readonly platforms: ImagePlatforms,
    private readonly content: Pick<ContentStore, "has" | "size" | "read">,
    private readonly containersOf: (image: Image) => readonly string[],
  ) {}

  async of(reference: string): Promise<{ Descriptor: Descriptor; Manifests: ManifestSummary[] }> {
    const { index, manifests } = await this.platforms.manifests(reference);
    const Manifests = await Promise.all(manifests.map((each) => this.#summary(each)));
    const [only] = manifests;
    const Descriptor = index ?? only?.descriptor;
    if (Descriptor === undefined) throw new Error(`image ${reference} has no manifest`);
    return { Descriptor, Manifests };
  }

  async #summary({ descriptor, image }: PlatformManifest): Promise<ManifestSummary> {
    const content = await this.#contentBytes(descriptor, image);
    const base = { ID: descriptor.digest, Descriptor: descriptor, Available: image !== undefined };
    const about = descriptor.annotations?.["vnd.docker.reference.digest"];
    if (descriptor.annotations?.["vnd.docker.reference.type"] !== undefined) {
      const Size = { Total: content, Content: content };
      return { ...base, Size, Kind: "attestation", AttestationData: { For: about ?? "" } };
    }
    const unpacked = image?.sizeBytes ?? 0;
    const Platform = descriptor.platform ?? (image && pickPlatform(image.config));
    const Size = { Total: content + unpacked, Content: content };
    if (Platform === undefined) return { ...base, Size, Kind: "unknown" };
    const Containers = image === undefined ? [] : this.containersOf(image);
    return {
      ...base,
      Size,
      Kind: "image",
      ImageData: { Platform, Containers, Size: { Unpacked: unpacked } },
    };
  }

  /** Of the blobs that are stored: the layers of an unpacked image need not be. */
  async #contentBytes({ digest, mediaType }: Descriptor, image: Image | undefined): Promise<number> {
    if (!this.content.has(digest)) return 0;
    const own = this.content.size(digest) ?? 0;
    if (image === undefined) return own;
    const manifest = parseManifest(await this.content.read(digest), mediaType, `manifest ${digest}`);
    const blobs = new Set(blobsOf(manifest));
    return [...blobs].reduce((sum, blob) => sum + (this.content.size(blob) ?? 0), own);
  }
}
