import type { Digest, DigestAlgorithm } from "../../formats/digest.ts";
import type { BodyReceiver } from "../../wire/body-receiver.ts";

export type { Digest } from "../../formats/digest.ts";
export type { Descriptor } from "../../formats/oci-image.ts";
export type { Platform } from "../../formats/platform.ts";

/**
 * A blob that is arriving. It has no name in the store until `commit` verified it. Every ingest ends with
 * `commit` or `close`; a failing `write` or `commit` has closed it and thrown the bytes away.
 */
export interface Ingest {
  /** Bytes received so far; a resumed ingest starts above 0. */
  readonly offset: number;
  /** Host path of the growing file; `commit` renames it. */
  readonly path: string;
  /**
   * Follows the file: numbers of bytes that are written and can be read at `path`. Ends as soon as the
   * content is verified, throws when it never will be. For any number of followers.
   */
  readonly grown: AsyncIterable<number>;
  /**
   * Where it is there, bodies of HTTP answers can be appended in the place of `write`, beside this thread: `offset`
   * follows. What it fails with is the caller's business: the ingest is not closed.
   */
  readonly receiver: BodyReceiver | undefined;
  /**
   * Takes the chunk over: the caller must not change it afterwards. Resolves when there is room for more.
   * Errors: InvalidParameter once more bytes arrive than expected; System (`no space left on device`).
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Verifies size and digest, fsyncs, gives the blob its name. */
  commit(): Promise<void>;
  /** Keeps what arrived for a later ingest of the same digest, or throws it away. Nothing after `commit`. */
  close(options: { keep: boolean; reason?: unknown }): Promise<void>;
}

export interface ExpectedBlob {
  readonly digest: Digest;
  /** Bytes; without it any size is taken. */
  readonly size?: number;
}

/** What arrived of a blob before its download broke off; a later ingest goes on with it. */
export interface PartialBlob {
  readonly digest: Digest;
  /** Bytes that are there. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly changedAtMs: number;
}

/** Notes about a blob that are no part of its content. */
export type BlobLabels = Readonly<Record<string, string>>;

/** Blobs by digest: `content/blobs/<algorithm>/<encoded>`, immutable, verified before they get their name. */
export interface ContentStore {
  has(digest: Digest): boolean;
  /** Size in bytes; undefined if absent. */
  size(digest: Digest): number | undefined;
  /** The host path of a present blob (for Workers and sendfile); NotFound otherwise. */
  path(digest: Digest): string;
  read(digest: Digest): Promise<Uint8Array>;
  /** `end` is exclusive. */
  readStream(digest: Digest, range?: { start: number; end?: number }): AsyncIterable<Uint8Array>;
  /**
   * One writer at a time for a digest; a second call waits for the first, and gets undefined when the blob is
   * present by then.
   */
  ingest(expected: ExpectedBlob, signal?: AbortSignal): Promise<Ingest | undefined>;
  /** A whole small blob (manifest, config); returns its digest. */
  put(bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<Digest>;
  /**
   * Moves a file into the store; its size and digest were verified while it was written, on the same file
   * system. Already present: the file is deleted.
   */
  adopt(path: string, blob: { readonly digest: Digest; readonly size: number }): Promise<void>;
  /** False if it was not there. A reader that has it open can go on reading. */
  remove(digest: Digest): Promise<boolean>;
  list(): Digest[];
  /** Those that nobody writes at the moment. */
  partials(): Promise<PartialBlob[]>;
  /** False if it is not there, or is written again. */
  removePartial(digest: Digest): Promise<boolean>;
  /** Empty for a blob without labels. */
  labels(digest: Digest): Promise<BlobLabels>;
  /**
   * Adds and replaces labels; an empty value takes one away. They go together with the blob. On disk when this settles.
   * Errors: NotFound for a blob that is not there.
   */
  label(digest: Digest, labels: BlobLabels): Promise<void>;
}
