import type { ImageConfigFile } from "../../formats/oci-image.ts";
import type { Descriptor, Digest } from "../content/contract.ts";
import type { KeepGraph } from "../gc/contract.ts";

/** An image that is present for this host's platform: its manifest, config and layer blobs and unpacked layers. */
export interface Image {
  /** Digest of the config bytes: what Docker shows as image ID. */
  readonly id: Digest;
  /** The manifest of this platform. */
  readonly manifest: Descriptor;
  readonly config: ImageConfigFile;
  /** The image whose container it was committed from; that one may be gone by now. */
  readonly parent?: Digest;
  /** Base first; the last one is the parent of a container's snapshot. Empty for an image without layers. */
  readonly chainIds: readonly Digest[];
  /** Bytes of all unpacked layers. */
  readonly sizeBytes: number;
  /** Canonical references with tag, `docker.io/library/busybox:latest`, sorted. */
  readonly tags: readonly string[];
  /** `docker.io/library/busybox@sha256:…`, of what was pulled or pushed, sorted. */
  readonly repoDigests: readonly string[];
  /** When a name last began to mean this image, RFC 3339; undefined while it has no name. */
  readonly lastTaggedAt: string | undefined;
}

export interface RemovedReference {
  readonly kind: "Untagged" | "Deleted";
  /** Familiar form, as Docker answers it. */
  readonly value: string;
}

/** The containers that use an image, by image id. */
export type ImageUsers = ReadonlyMap<
  Digest,
  readonly { readonly containerId: string; readonly running: boolean }[]
>;

/** A name and what it stands for: the index or manifest that it was pulled as. */
export interface ImageNaming {
  /** Any form, with tag or digest. */
  readonly reference: string;
  readonly target: Descriptor;
}

/** Things that may have become useless. */
export interface Candidates {
  readonly blobs: readonly Digest[];
  readonly layers: readonly Digest[];
}

/** Names for images. All lookups answer from memory. */
export interface ImageStore {
  /** The same array as before, with the same elements, as long as no image and no name has changed. */
  list(): readonly Image[];
  /**
   * By name (familiar or canonical, with tag or digest), id or unambiguous id prefix.
   * Errors: NotFound `No such image: NAME:TAG`; InvalidParameter for a broken reference or an ambiguous prefix.
   */
  resolve(reference: string): Image;
  /** The same for each platform that a name stands for; what it means without one first. */
  variants(reference: string): readonly Image[];
  /** As `resolve`, but undefined for an image that is not there. */
  find(reference: string): Image | undefined;
  /** Digests of its manifest, config and layers as they came; a layer's may be absent. */
  blobs(image: Image): readonly Digest[];
  /** What a name (with tag or digest) stands for; undefined for a name that is not there. */
  target(reference: string): Descriptor | undefined;
  /**
   * Registers an image whose manifest and config blobs and unpacked layers are present, with all its names at
   * once. A name of an index means an image for each of its platforms, the host's first. A name that meant something
   * else is moved; that image stays, dangling if it was its last name.
   */
  add(manifest: Descriptor, names: readonly ImageNaming[], options?: { parent?: Digest }): Promise<Image>;
  /**
   * Points `reference` (tag form) at what `source` means, an index with all its platforms where that is a name;
   * replaces an older meaning.
   */
  tag(source: string, reference: string): Promise<void>;
  /**
   * Untags, and deletes image, layers and blobs when no name is left; a layer or blob that another image or a
   * running operation needs stays. `only`: these of the images that the name means; it stays for the others.
   * Errors as Docker's: 409 conflicts with `force` hints.
   */
  remove(
    reference: string,
    options: { force: boolean; usedBy: ImageUsers; only?: readonly Digest[] | undefined },
  ): Promise<RemovedReference[]>;
  /** Deletes of the candidates what no image, no lease and no container's snapshot needs. Returns what was deleted. */
  collect(candidates: Candidates): Promise<Candidates>;
  /**
   * What images and names keep at the moment of the call, also those that are not complete (`open` left them out); as
   * if the images `without` and their names were not there.
   */
  keeps(without?: ReadonlySet<Digest>): KeepGraph;
  /** Paths of sidecars that could not be read: nobody knows what they keep. */
  readonly unreadable: readonly string[];
}
