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
