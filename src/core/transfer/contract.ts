import type { Reference } from "../../formats/reference.ts";
import type { Descriptor } from "../content/contract.ts";
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
}

/** One repository in its registry, asked with one set of credentials. Errors as Docker words them. */
export interface RemoteRepository {
  /** What the reference's digest, or else its tag, means now. */
  resolve(signal: AbortSignal): Promise<Descriptor>;
  /** The exact bytes of a manifest or index; size and digest are verified. */
  manifest(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * The bytes of a blob from `offset` to its end, in order. A broken connection is taken up again where it
   * broke off, so many times. The digest is the caller's to verify; leaving the loop ends the download.
   */
  blob(descriptor: Descriptor, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Where images come from; the registry client implements it. */
export interface Registries {
  repository(reference: Reference, credentials: RegistryCredentials | undefined): RemoteRepository;
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

export interface Transfer {
  /** Parallel pulls of the same image share one download. */
  pull(request: PullRequest): Promise<{ image: Image; changed: boolean }>;
  /** A `docker save` archive or OCI layout (plain, gzip or zstd). Returns `name:tag` or the id for each image. */
  load(
    archive: ReadableStream<Uint8Array>,
    options: { onProgress: (progress: Progress) => void; signal: AbortSignal },
  ): Promise<{ image: Image; loaded: string }[]>;
}
