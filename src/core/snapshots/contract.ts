import type { Digest } from "../content/contract.ts";
import type { WhiteoutForm } from "../unpack/whiteout.ts";

/**
 * How a root's directories make it up:
 * - `overlay`: the layers of overlayfs, in which a 0/0 device says "gone" and trusted.overlay.opaque "nothing from below";
 * - `overlay-user`: the same with user.overlay.opaque, which works inside user namespaces;
 * - `copy`: `upper` is the whole root, `lower` only what it was copied from.
 */
export type RootForm = "overlay" | "overlay-user" | "copy";

/** Host directories of one mounted container root; `inspect` shows them as GraphDriver.Data. */
export interface MountedRoot {
  /** The directory that is the container's root. */
  readonly merged: string;
  /** Read-only, top first; `init` is the first. */
  readonly lower: readonly string[];
  /** The one of `lower` that is no layer of the image: mount points for what the engine mounts. */
  readonly init?: string;
  readonly upper: string;
  readonly work: string;
  readonly form: RootForm;
}

/** What a container did to a path of its root. */
export interface Change {
  /** Absolute, inside the container. */
  readonly path: string;
  readonly kind: "modified" | "added" | "deleted";
}

export interface CommittedLayer {
  readonly chainId: Digest;
  readonly diffId: Digest;
  readonly parent: Digest | undefined;
  /** Bytes of the unpacked files. */
  readonly sizeBytes: number;
}

/** Where a committed layer is unpacked. */
export interface LayerFiles {
  readonly directory: string;
  /** With `copy` the directory is the whole tree up to this layer, and shares the files of `base` that it did not change. */
  readonly form: RootForm;
  /** With `copy`: the tree below; undefined where there is none. */
  readonly base: string | undefined;
  /** An opaque whiteout in the layer's root, which the directory itself cannot say. */
  readonly hidesBelow: boolean;
}

/** A layer that is being unpacked: a directory of its own that nobody else sees until commit. */
export interface LayerDraft {
  /** Host directory to unpack into. */
  readonly directory: string;
  /** How "gone" is said in it. */
  readonly whiteouts: WhiteoutForm;
  /**
   * Gives the layer its name; its parent has to be committed by then. Errors: Conflict if it is not;
   * InvalidParameter if diffId and parent do not make this chain id. After an error, discard.
   */
  commit(info: {
    diffId: Digest;
    sizeBytes: number;
    /** UnpackedLayer.impliedDirectories: they get the attributes which they have in the layers below. */
    impliedDirectories?: readonly string[];
  }): Promise<CommittedLayer>;
  /** Removes it; after a commit or a second time: nothing. */
  discard(): Promise<void>;
}

/** A directory for work in progress; what is in it when it is disposed, or when the engine dies, is deleted. */
export interface Scratch extends Disposable {
  readonly directory: string;
  /** As in a draft. */
  readonly whiteouts: WhiteoutForm;
}

/**
 * Unpacked layers by chain id (OCI image-spec, "Layer ChainID"), shared between images, and a writable
 * top for each container (its *active* snapshot, by key = container id).
 */
export interface Snapshotter {
  /** Docker's name of the storage driver. */
  readonly name: string;
  /** `info`'s DriverStatus; undefined where Docker has none. */
  readonly status: readonly (readonly [name: string, value: string])[] | undefined;
  layer(chainId: Digest): CommittedLayer | undefined;
  /**
   * Undefined when somebody committed the same chain meanwhile. One draft of a chain at a time: others wait. The parent
   * need not be there yet, so that layers unpack in parallel.
   */
  draft(chainId: Digest, parent: Digest | undefined, signal?: AbortSignal): Promise<LayerDraft | undefined>;
  /** An empty directory on the file system of the drafts: it may be renamed to take the place of a draft's. */
  scratch(): Scratch;
  /** A missing one is fine. Errors: Conflict while another layer or a container stands on it. */
  removeLayer(chainId: Digest): Promise<void>;
  layers(): CommittedLayer[];
  /** The files of a committed layer, for reading only; NotFound for a missing one. */
  layerFiles(chainId: Digest): LayerFiles;

  /**
   * Makes the writable top of a container on a committed chain (undefined: an empty root). Not mounted yet.
   * `volatile`: what is written need not survive a crash of the machine (`--rm`); nothing is ever synced then.
   * Errors: Conflict for a key in use; NotFound for a missing chain.
   */
  prepare(key: string, parent: Digest | undefined, options?: { volatile?: boolean }): Promise<void>;
  /** Mounts it; a mounted one is returned as it is. Synchronous inside: two system calls. */
  mount(key: string): MountedRoot;
  /** The directories without mounting; NotFound for an unknown key. */
  describe(key: string): MountedRoot;
  /** Not mounted: nothing. */
  unmount(key: string): Promise<void>;
  /** Keys that are mounted, also since before this process: an engine unmounts those of dead containers. */
  mountedKeys(): string[];
  /** Unmounts and deletes the writable top; a missing one is fine. */
  remove(key: string): Promise<void>;
  /** The topmost layer that it stands on; undefined for an empty root and for an unknown key. */
  parent(key: string): Digest | undefined;
  /** Bytes and number of the files which are not the image's. */
  usage(key: string): Promise<{ sizeBytes: number; inodes: number }>;
  keys(): string[];
}
