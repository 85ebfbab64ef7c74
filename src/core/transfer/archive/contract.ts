import type { Descriptor, Digest } from "../../content/contract.ts";

/** One image of an archive; all its blobs are in the content store. */
export interface ArchivedImage {
  /** Of the archive's own manifest, or of one that was made for it from config and layers (stored as well). */
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  /** Base first, as they are in the archive: media type tells plain, gzip or zstd. */
  readonly layers: readonly Descriptor[];
  /** Of the uncompressed tars, from the config; as many as `layers`. Not verified yet: unpacking does. */
  readonly diffIds: readonly Digest[];
  /** As written in the archive: familiar or canonical names with a tag. Empty for an untagged image. */
  readonly repoTags: readonly string[];
}

/** What the reader needs of the content store. */
export interface ArchiveBlobs {
  has(digest: Digest): boolean;
  /**
   * Moves a file of the spool directory into the store; size and digest were verified while it was written.
   * Already present: the file is deleted.
   */
  adopt(path: string, blob: { readonly digest: Digest; readonly size: number }): Promise<void>;
  put(bytes: Uint8Array): Promise<Digest>;
  remove(digest: Digest): Promise<boolean>;
}
