/** `algorithm:encoded`, e.g. `sha256:` and 64 lower-case hex digits. OCI image-spec, "Digests". */
export type Digest = `sha256:${string}` | `sha512:${string}`;

/** OCI image-spec, "Content Descriptors". */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

/** OCI image-spec, "Image Index", platform. */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

/** A blob that is arriving. It has no name in the store until `commit` verified it. */
export interface Ingest {
  /** Bytes received so far; a resumed ingest starts above 0. */
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Verifies size and digest, fsyncs, gives the blob its name. Already present: same result. Closes the ingest. */
  commit(): Promise<void>;
  /** Keeps what arrived for a later resume under the same ref, or throws it away. */
  close(options: { keep: boolean }): Promise<void>;
}

/** Blobs by digest: `content/blobs/<algorithm>/<encoded>`, immutable, verified before they get their name. */
export interface ContentStore {
  has(digest: Digest): boolean;
  /** Size in bytes; undefined if absent. */
  size(digest: Digest): number | undefined;
  /** The host path of a present blob (for Workers and sendfile); NotFound otherwise. */
  path(digest: Digest): string;
  read(digest: Digest): Promise<Uint8Array>;
  readStream(digest: Digest, range?: { start: number; end?: number }): ReadableStream<Uint8Array>;
  /** One writer at a time for a digest; a second call waits for the first. */
  ingest(expected: { digest: Digest; size?: number }): Promise<Ingest>;
  /** A whole small blob (manifest, config); returns its sha256 digest. */
  put(bytes: Uint8Array): Promise<Digest>;
  remove(digest: Digest): Promise<boolean>;
  list(): Digest[];
}
