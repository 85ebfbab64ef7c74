import type { Platform } from "../../formats/platform.ts";
import type { Reference } from "../../formats/reference.ts";
import type { Descriptor, Digest, Ingest } from "../content/contract.ts";
import type { Image } from "../images/contract.ts";

/** Credentials of one registry. Docker's AuthConfig. */
export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress?: string;
}

/** One line of Docker's progress stream (engine-api, "Progress messages"); `id` is the key of a terminal line. */
export interface Progress {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** For programs: what a push made. */
  readonly aux?: object;
}

/** An attempt failed; the next one begins after so many seconds. */
export type OnRetry = (seconds: number) => void;

/** Where the bytes of a blob go; `offset` tells how many are there. */
export type BlobTarget = Pick<Ingest, "offset" | "write" | "receiver">;

/** One repository in its registry, asked with one set of credentials. Errors as Docker words them. */
export interface RemoteRepository {
  /** What the reference's digest, or else its tag, means now. */
  resolve(signal: AbortSignal, onRetry?: OnRetry): Promise<Descriptor>;
  /** The exact bytes of a manifest or index; size and digest are verified. */
  manifest(descriptor: Descriptor, signal: AbortSignal, onRetry?: OnRetry): Promise<Uint8Array>;
  /** All tags of the repository, sorted: not every registry does it. */
  tags(signal: AbortSignal): Promise<string[]>;
  /**
   * The bytes of a blob from `offset` to its end, in order. A broken connection is taken up again where it
   * broke off, so many times. The digest is the caller's to verify; leaving the loop ends the download.
   */
  blob(
    descriptor: Descriptor,
    offset: number,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): AsyncIterable<Uint8Array>;
  /**
   * The same bytes, to where they are kept: beside this thread if the target has a receiver. It is the way for all that
   * can be large. Errors: also those of the target.
   */
  download(descriptor: Descriptor, target: BlobTarget, signal: AbortSignal, onRetry?: OnRetry): Promise<void>;
  /**
   * The bytes of a blob were no good. True when they came from a source that can be spared: it is not asked for
   * this blob again, and the caller can begin anew.
   */
  reject(descriptor: Descriptor): boolean;
}

/** A blob that goes up; `open` is called for each piece of it, and again when an attempt broke off. */
export interface BlobUpload {
  readonly descriptor: Descriptor;
  /** `end` is exclusive. */
  readonly open: (range: { readonly start: number; readonly end: number }) => AsyncIterable<Uint8Array>;
  /** Repositories of the same registry that have the blob, perhaps: it is mounted from there if that works. */
  readonly mountFrom: readonly string[];
  /** Bytes that the registry has or that were handed to the network. */
  readonly onProgress: (currentBytes: number) => void;
  readonly onRetry: OnRetry;
  readonly signal: AbortSignal;
}

/** How a blob came to be in the repository. */
export type BlobOutcome =
  | { readonly kind: "present" }
  | { readonly kind: "mounted"; readonly from: string }
  | { readonly kind: "uploaded" };

/** The writing side of one repository in its registry. Errors as Docker words them. */
export interface RemoteUploads {
  /** Whether layers that are not to be distributed go there all the same: the operator's decision. */
  takesForeignLayers(): Promise<boolean>;
  hasBlob(digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Makes the blob be in the repository with as little traffic as possible. */
  ensureBlob(upload: BlobUpload): Promise<BlobOutcome>;
  /** Gives the repository a manifest whose blobs it has, under a tag or its digest. */
  putManifest(name: string, manifest: Descriptor, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** A repository that a registry offers. */
export interface SearchHit {
  /** Without the registry's domain. */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
}

export interface SearchQuery {
  readonly term: string;
  readonly limit: number;
  readonly credentials: RegistryCredentials | undefined;
  readonly signal: AbortSignal;
}

/** Where images come from and go to; the registry client implements it. */
export interface Registries {
  repository(reference: Reference, credentials: RegistryCredentials | undefined): RemoteRepository;
  /** `mountFrom`: paths of repositories of the same registry from which blobs may be mounted. */
  uploads(
    reference: Reference,
    credentials: RegistryCredentials | undefined,
    mountFrom: readonly string[],
  ): RemoteUploads;
  /**
   * Settles when the registry of a domain accepts the credentials, or wants none. What comes back is an identity
   * token, where the token server gives one: it stands for the password from now on.
   * Errors: Unauthorized when it refuses them; Unavailable when it does not answer.
   */
  login(domain: string, credentials: RegistryCredentials, signal: AbortSignal): Promise<string | undefined>;
  /** Repositories of a registry that the term fits. */
  search(domain: string, query: SearchQuery): Promise<readonly SearchHit[]>;
}

export interface PullRequest {
  /** Any form of reference; without tag and digest: `latest`. */
  readonly reference: string;
  /** `os/arch[/variant]`; default: the host's. */
  readonly platform?: string;
  readonly credentials?: RegistryCredentials;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface PushRequest {
  /** A name with tag or digest; without both: all tags of the repository. */
  readonly reference: string;
  /** The one of a multi-platform image that goes up under the tag; default: what the name means here. */
  readonly platform?: Platform;
  readonly credentials?: RegistryCredentials;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface SaveRequest {
  /** Names or ids; a name without tag and digest is all tags of its repository. */
  readonly names: readonly string[];
  /** Those that are saved of each image; none: what the name means here. */
  readonly platforms: readonly Platform[];
  /** Called for the first time when nothing can be missing any more. Settles when there is room for more. */
  readonly write: (chunk: Uint8Array) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface LoadOptions {
  /** Loads images for these platforms alone; none: what the archive has, of an index what fits this host. */
  readonly platforms: readonly Platform[];
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface Transfer {
  /** Parallel pulls of the same image share one download. */
  pull(request: PullRequest): Promise<{ image: Image; changed: boolean }>;
  /** Pulls every tag of the repository that `request.reference` names alone, one after the other. */
  pullAll(request: PullRequest): Promise<void>;
  /** A `docker save` archive or OCI layout (plain, gzip or zstd). Returns `name:tag` or the id for each image. */
  load(archive: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<{ image: Image; loaded: string }[]>;
  /** Uploads what the registry does not have yet: manifest, config, and layers as they are stored. */
  push(request: PushRequest): Promise<void>;
  /** Asks a registry whether it accepts credentials; see `Registries`. */
  login(domain: string, credentials: RegistryCredentials, signal: AbortSignal): Promise<string | undefined>;
  /** Writes a tar that is `docker save` archive and OCI layout at once. Returns the saved images. */
  save(request: SaveRequest): Promise<readonly Image[]>;
}
