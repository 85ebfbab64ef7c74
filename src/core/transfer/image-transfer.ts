import { messageOf } from "../../errors/platform-error.ts";
import { digestOf } from "../../formats/digest.ts";
import { formatPlatform, type Platform, parsePlatform } from "../../formats/platform.ts";
import {
  canonicalReference,
  parseReference,
  repositoryName,
  withDefaultTag,
} from "../../formats/reference.ts";
import type { Log } from "../../log/log.ts";
import type { Image } from "../images/contract.ts";
import type { Lease, Leases } from "../leases/leases.ts";
import type { Progress, PullRequest, Registries, Transfer } from "./contract.ts";
import { isResumable } from "./fetch-layer.ts";
import { type LoadServices, loadArchive } from "./load-archive.ts";
import { type PullServices, pullImage } from "./pull-image.ts";
import { SharedWork } from "./shared-work.ts";

export interface ImageTransferOptions extends PullServices, LoadServices {
  readonly registries: Registries;
  readonly leases: Leases;
  /** For which images are chosen by default. */
  readonly platform: Platform;
  readonly log: Log;
}

type PullResult = { image: Image; changed: boolean };

/** Pulls and loads images: whatever comes in is registered only when it is whole. */
export class ImageTransfer implements Transfer {
  private readonly pulls = new SharedWork<PullResult>();

  constructor(private readonly options: ImageTransferOptions) {}

  async pull(request: PullRequest): Promise<PullResult> {
    const reference = withDefaultTag(parseReference(request.reference));
    const wanted = request.platform ? parsePlatform(request.platform, this.options.platform) : undefined;
    const platform = wanted ?? this.options.platform;
    const key = JSON.stringify([
      canonicalReference(reference),
      wanted ? formatPlatform(wanted) : "",
      // Who may not see an image must not get it through another one's pull.
      request.credentials ? digestOf(JSON.stringify(request.credentials)) : "",
    ]);
    return await this.pulls.join(key, request, (shared) =>
      this.holding((lease) =>
        pullImage(this.options, {
          reference,
          remote: this.options.registries.repository(reference, request.credentials),
          platform,
          isPlatformWanted: wanted !== undefined,
          lease,
          ...shared,
        }),
      ).catch((error) => {
        this.options.log.info("transfer.pull-failed", {
          repository: repositoryName(reference),
          error: messageOf(error),
        });
        throw error;
      }),
    );
  }

  load(
    archive: ReadableStream<Uint8Array>,
    options: { onProgress: (progress: Progress) => void; signal: AbortSignal },
  ): Promise<{ image: Image; loaded: string }[]> {
    return this.holding((lease) => loadArchive(this.options, { archive, lease, ...options }));
  }

  /**
   * Runs `work` under a lease. What it brought is deleted again after an error, except what a later attempt
   * can go on with: after an abort, or when the registry broke down.
   */
  private async holding<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    let brought: Lease | undefined;
    try {
      return await this.options.leases.withLease((lease) => {
        brought = lease;
        return work(lease);
      });
    } catch (error) {
      if (brought && !isResumable(error)) {
        await this.options.images.collect({ blobs: [...brought.blobs], layers: [...brought.layers] });
      }
      throw error;
    }
  }
}
