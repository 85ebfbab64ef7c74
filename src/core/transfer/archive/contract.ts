import type { Platform } from "../../../formats/platform.ts";
import type { ContentStore, Descriptor, Digest } from "../../content/contract.ts";
import type { SpooledEntry } from "../../unpack/job-messages.ts";

/** One image of an archive; all its blobs are in the content store. */
export interface ArchivedImage {
  /** Of the archive's own manifest, or of one that was made for it from config and layers (stored as well). */
  readonly manifest: Descriptor;
  /** The index that its names stand for, which is stored as well; undefined: the manifest. */
  readonly index?: Descriptor | undefined;
  readonly config: Descriptor;
  /** Base first, as they are in the archive: media type tells plain, gzip or zstd. */
  readonly layers: readonly Descriptor[];
  /** Of the uncompressed tars, from the config; as many as `layers`. Not verified yet: unpacking does. */
  readonly diffIds: readonly Digest[];
  /** As written in the archive: familiar or canonical names with a tag. Empty for an untagged image. */
  readonly repoTags: readonly string[];
}

/** What the reader needs of the content store. */
export type ArchiveBlobs = Pick<ContentStore, "has" | "adopt" | "put">;

/** Writes the files of an archive to a directory, off the event loop; unpack's WorkerPool does it. */
export interface ArchiveSpooler {
  spool(
    archive: AsyncIterable<Uint8Array>,
    directory: string,
    options: { signal: AbortSignal },
  ): Promise<readonly SpooledEntry[]>;
}

export interface ReadArchiveOptions {
  readonly blobs: ArchiveBlobs;
  /** Called for each blob before it is looked for and stored: from then on nobody may remove it. */
  readonly hold: (digest: Digest) => void;
  readonly spooler: ArchiveSpooler;
  /** An existing directory on the file system of the content store; the archive's files go to a folder in it. */
  readonly spoolDirectory: string;
  /** Choose from an index in the archive. */
  readonly platforms: readonly Platform[];
  /** Whether images for other platforms are left out. */
  readonly isPlatformWanted?: boolean;
  readonly signal: AbortSignal;
}
