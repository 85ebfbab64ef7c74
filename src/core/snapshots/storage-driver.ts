import type { Digest } from "../content/contract.ts";
import type { WhiteoutForm } from "../unpack/whiteout.ts";
import type { MountedRoot, RootForm } from "./contract.ts";

/** What an unpacked layer becomes a committed one with. */
export interface SealRequest {
  /** The draft's own directory: `diff/` in it holds what was unpacked, and afterwards the layer. */
  readonly place: string;
  /** The directories of the layers below, top first. */
  readonly lower: readonly string[];
  readonly parent: Digest | undefined;
  /** See LayerDraft.commit. */
  readonly impliedDirectories: readonly string[];
}

/**
 * The ways to keep layers and roots on disk differ in this; all else is FileSnapshotter's. A driver keeps no state of
 * its own: what it needs to know is in the directories.
 */
export interface StorageDriver {
  /** As `--storage-driver` and `info` have it. */
  readonly name: string;
  readonly rootForm: RootForm;
  readonly whiteouts: WhiteoutForm;
  /** `info`'s DriverStatus; undefined where Docker has none. */
  readonly status: readonly (readonly [name: string, value: string])[] | undefined;
  /** Gives an unpacked layer its final form. `hidesLower`: nothing of the layers below is seen through it. */
  seal(request: SealRequest): Promise<{ hidesLower: boolean }>;
  /** The readable directory of a committed layer; `place` is the layer's own directory. Cheap a second time. */
  layerDirectory(place: string): string;
  /** Lets go of a layer that was moved to `place`, to be deleted. */
  release(place: string): Promise<void>;
  /** Fills the new top directory of a container on the layers `lower`, top first, and the init layer. */
  fillTop(upper: string, lower: readonly string[], init: string | undefined): Promise<void>;
  /** Synchronous: two system calls. */
  mountRoot(root: MountedRoot, options: { readonly isVolatile: boolean }): void;
}
