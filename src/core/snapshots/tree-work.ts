/** Long work on directory trees, done off the event loop; unpack's WorkerPool does it. */
export interface TreeWork {
  /** Bytes of the files below, and their number. */
  measure(directory: string): Promise<{ readonly sizeBytes: number; readonly inodes: number }>;
  remove(directories: readonly string[]): Promise<void>;
  /** Brings the file system of a directory to its disk. */
  sync(directory: string): Promise<void>;
  /** Gives directories (`paths` in the layer `directory`) the attributes they have in `lower`, top first. */
  inherit(directory: string, paths: readonly string[], lower: readonly string[]): Promise<void>;
}
