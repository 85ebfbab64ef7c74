import type { ImageConfigFile } from "../../formats/oci-image.ts";
import type { Descriptor, Digest } from "../content/contract.ts";

/** An image that is present for this host's platform: its manifest, config and layer blobs or unpacked layers. */
export interface Image {
  /** Digest of the config bytes: what Docker shows as image ID. */
  readonly id: Digest;
  /** The manifest of this platform. */
  readonly manifest: Descriptor;
  readonly config: ImageConfigFile;
  /** Base first; the last one is the parent of a container's snapshot. Empty for an image without layers. */
  readonly chainIds: readonly Digest[];
  /** Bytes of all unpacked layers. */
  readonly sizeBytes: number;
  /** Canonical references with tag, `docker.io/library/busybox:latest`, sorted. */
  readonly tags: readonly string[];
  /** `docker.io/library/busybox@sha256:…`, of what was pulled or pushed. */
  readonly repoDigests: readonly string[];
}

export interface RemovedReference {
  readonly kind: "Untagged" | "Deleted";
  /** Familiar form, as Docker answers it. */
  readonly value: string;
}

/** Names for images. All lookups answer from memory. */
export interface ImageStore {
  list(): Image[];
  /**
   * By name (familiar or canonical, with tag or digest), id or unambiguous id prefix.
   * Errors: NotFound `No such image: NAME:TAG`; InvalidParameter for a broken reference or an ambiguous prefix.
   */
  resolve(reference: string): Image;
  find(reference: string): Image | undefined;
  /** Points `reference` (tag form) at an image whose blobs are present; replaces an older meaning. */
  tag(image: Image | Digest, reference: string): Promise<void>;
  /**
   * Untags, and deletes image, layers and blobs when no name is left.
   * `usedBy` are the ids of images that containers use. Errors as Docker's: 409 conflicts with `force` hints.
   */
  remove(
    reference: string,
    options: {
      force: boolean;
      usedBy: ReadonlyMap<Digest, readonly { containerId: string; running: boolean }[]>;
    },
  ): Promise<RemovedReference[]>;
}
