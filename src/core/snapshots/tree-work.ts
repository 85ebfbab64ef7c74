import type { Inheritance } from "../unpack/inherit-attributes.ts";
import type { ErofsImage } from "./erofs/write-image.ts";
import type { LayerApplication } from "./vfs/apply-layer.ts";
import type { TreeClone } from "./vfs/clone-tree.ts";

/** Long work on directory trees, done off the event loop; unpack's WorkerPool does it. */
export interface TreeWork {
  /** Bytes of the files below, and their number; with `original`: of those that are not as they are there. */
  measure(
    directory: string,
    original?: readonly string[],
  ): Promise<{ readonly sizeBytes: number; readonly inodes: number }>;
  remove(directories: readonly string[]): Promise<void>;
  /** Brings the file system of a directory to its disk. */
  sync(directory: string): Promise<void>;
  /** Gives directories that a layer only implies the attributes which they have below. */
  inherit(inheritance: Inheritance): Promise<void>;
  /** Writes a tree as an EROFS image. */
  writeErofs(image: ErofsImage): Promise<void>;
  /** Copies a tree. */
  clone(clone: TreeClone): Promise<void>;
  /** Makes the tree that a layer gives on the one below. */
  apply(application: LayerApplication): Promise<void>;
}
