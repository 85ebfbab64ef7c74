import type { Digest } from "../content/contract.ts";
import type { WhiteoutForm } from "./whiteout.ts";

/**
 * Where the bytes of a layer blob come from. What is read is what the blob holds: a tar, plain or compressed
 * with gzip or zstd (recognised by its first bytes, whatever the media type says).
 */
export type LayerSource =
  /**
   * A file on this host. While it is still being written, `grown` tells how many of its bytes are valid; it
   * ends when the file is complete and throws when it never will be. The Worker reads from the page cache, so
   * the download never waits for the unpacking and no bytes travel between threads. The path is opened
   * at once: renaming the file later is fine. Without `grown` the file is complete.
   */
  | { readonly kind: "file"; readonly path: string; readonly grown?: AsyncIterable<number> }
  /**
   * Chunks in order, which are taken over: their memory is gone afterwards. The next one is asked for only when the Worker
   * has room for it (back-pressure).
   */
  | { readonly kind: "chunks"; readonly chunks: AsyncIterable<Uint8Array> };

export interface UnpackRequest {
  /** Digest of the blob; names the layer in errors. */
  readonly layer: Digest;
  readonly source: LayerSource;
  /** An empty host directory, see LayerDraft.directory. Nothing outside is ever written. */
  readonly directory: string;
  /** See LayerDraft.whiteouts. */
  readonly whiteouts: WhiteoutForm;
  /** Of the uncompressed tar, from the image's config (`rootfs.diff_ids`). */
  readonly diffId: Digest;
  readonly limits?: Partial<UnpackLimits>;
  readonly signal: AbortSignal;
  /** Bytes of the blob that were consumed so far; at most about ten calls a second. */
  readonly onProgress?: (consumedBytes: number) => void;
}

/** What one layer may cost at most; generous, against bombs. */
export interface UnpackLimits {
  /** Files, directories (also those that are only implied by a path) and links. */
  readonly entries: number;
  readonly unpackedBytes: number;
  /**
   * Bytes of the tar for each byte of the blob, from the first `uncheckedBytes` on. A blob of zeros makes 1000 with
   * gzip, any number with zstd; layers of programs and data make 2 to 20.
   */
  readonly ratio: number;
  /** So much may come of any blob: small layers of nearly nothing are common. */
  readonly uncheckedBytes: number;
  readonly devices: number;
  /** Components of one path. */
  readonly pathDepth: number;
}

export interface UnpackedLayer {
  /** Verified: equal to the request's. */
  readonly diffId: Digest;
  /** Bytes of all regular files. */
  readonly sizeBytes: number;
  readonly entries: number;
  /**
   * Directories that the layer uses but does not describe (relative, as byte strings: one char is one byte; ""
   * is the root). They were made 0755 root:root; LayerDraft.commit gives them the attributes that the same
   * directory has in the layers below, so that they do not hide those.
   */
  readonly impliedDirectories: readonly string[];
  /** What the file system of the directory could not keep, e.g. an unsupported extended attribute. */
  readonly warnings: readonly string[];
}

/**
 * Unpacks layers in Workers.
 *
 * Errors name the layer, and the entry where there is one: InvalidParameter for a broken or hostile layer or a
 * wrong diffID, System for what the kernel refused (`…: no space left on device`), Cancelled after an abort. The
 * directory is then in an undefined state: discard the draft.
 */
export interface LayerUnpacker {
  unpack(request: UnpackRequest): Promise<UnpackedLayer>;
}
