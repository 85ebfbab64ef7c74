import type { ContentStore, Digest, Ingest } from "../../../core/content/contract.ts";
import type { RemoteRepository } from "../../../core/transfer/contract.ts";
import { messageOf, PlatformError } from "../../../errors/platform-error.ts";
import { isDigest } from "../../../formats/digest.ts";
import type { Log } from "../../../log/log.ts";
import type { RegistryDocument } from "../../client/registry-documents.ts";
import { readManifest } from "../manifest-record.ts";
import { isTag } from "../names.ts";
import { refusal } from "../registry-error.ts";
import type { RepositoryStore } from "../repository-store.ts";
import { BlobFetch } from "./blob-fetch.ts";
import { isMissingUpstream, isPassing, type Upstream, upstreamRefusal } from "./upstream.ts";

export interface CacheOptions {
  readonly upstream: Upstream;
  readonly content: ContentStore;
  readonly repositories: RepositoryStore;
  readonly log: Log;
}

/**
 * Fills a registry from another one as clients ask. What has a digest is fetched once; what a tag means is asked anew each
 * time, and answered from what is kept when the upstream does not answer.
 */
export class PullThroughCache {
  private readonly refreshes = new Map<string, Promise<void>>();
  private readonly starts = new Map<string, Promise<BlobFetch | undefined>>();
  private readonly fetches = new Map<Digest, BlobFetch>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: CacheOptions) {}

  /**
   * Makes the repository have what the reference means upstream. Errors: MANIFEST_UNKNOWN when the upstream does not have
   * it; DENIED, UNAVAILABLE when nothing is kept that could be served instead.
   */
  async refreshManifest(name: string, reference: string): Promise<void> {
    if (!isDigest(reference) && !isTag(reference)) return;
    await once(this.refreshes, `${name} ${reference}`, () => this.refresh(name, reference));
  }

  private async refresh(name: string, reference: string): Promise<void> {
    const { upstream, repositories, log } = this.options;
    if (isDigest(reference) && (await repositories.manifest(name, reference))) return;
    try {
      await this.fetchManifest(name, reference, upstream.repository(name, reference));
    } catch (error) {
      const missing = () => refusal("MANIFEST_UNKNOWN", `${name} has no manifest ${reference} upstream`);
      const kept = !isDigest(reference) && (await repositories.tag(name, reference)) !== undefined;
      if (kept && isMissingUpstream(error)) await repositories.removeTag(name, reference);
      if (!kept || isMissingUpstream(error)) throw upstreamRefusal(error, missing);
      log.warn("registry.stale", { repository: name, tag: reference, message: messageOf(error) });
    }
  }

  private async fetchManifest(name: string, reference: string, remote: RemoteRepository): Promise<void> {
    const { repositories } = this.options;
    const descriptor = await remote.resolve(this.stopping.signal);
    const { digest, mediaType } = descriptor;
    if (!(await repositories.manifest(name, digest))) {
      const bytes = await remote.manifest(descriptor, this.stopping.signal);
      await repositories.addManifest(name, bytes, readManifest(bytes, digest, mediaType).record);
    }
    if (!isDigest(reference) && (await repositories.tag(name, reference)) !== digest)
      await repositories.setTag(name, reference, digest);
  }

  /** Asks the upstream, also whether this repository has it there. Errors: BLOB_UNKNOWN, DENIED, UNAVAILABLE. */
  async blobSize(name: string, digest: Digest): Promise<number> {
    try {
      return await this.options.upstream.blobSize(name, digest, this.stopping.signal);
    } catch (error) {
      throw upstreamRefusal(error, () => refusal("BLOB_UNKNOWN", `${name} has no blob ${digest} upstream`));
    }
  }

  /**
   * A download of the blob that has begun, the same for all who ask; undefined when it is there already. The caller knows
   * its size from `blobSize`. Errors: as there.
   */
  async fetchBlob(name: string, digest: Digest, size: number): Promise<BlobFetch | undefined> {
    const key = `${name} ${digest}`;
    const fetch = await once(this.starts, key, () => this.startFetch(name, digest, size));
    await fetch?.begun().catch((error) => {
      throw upstreamRefusal(error, () => refusal("BLOB_UNKNOWN", `${name} has no blob ${digest} upstream`));
    });
    return fetch;
  }

  private async startFetch(name: string, digest: Digest, size: number): Promise<BlobFetch | undefined> {
    const { content, repositories } = this.options;
    const running = this.fetches.get(digest);
    if (running) return running;
    const ingest = await content.ingest({ digest, size }, this.stopping.signal);
    if (ingest) {
      const fetch = new BlobFetch(content, digest, size, ingest, () =>
        this.download(name, digest, size, ingest),
      );
      this.fetches.set(digest, fetch);
      const forget = () => this.fetches.delete(digest);
      fetch.done.then(forget, forget);
      return fetch;
    }
    await repositories.addBlob(name, digest, async () => {
      if (!content.has(digest)) throw refusal("UNAVAILABLE", `${digest} was removed a moment ago`);
    });
    return undefined;
  }

  /** What has arrived when it breaks off is kept, and the next download goes on from there. */
  private async download(name: string, digest: Digest, size: number, ingest: Ingest): Promise<void> {
    const { upstream, repositories, log } = this.options;
    const descriptor = { mediaType: "application/octet-stream", digest, size };
    try {
      await upstream.repository(name, digest).download(descriptor, ingest, this.stopping.signal);
      await repositories.addBlob(name, digest, () => ingest.commit());
    } catch (error) {
      await ingest.close({ keep: true, reason: error });
      log.warn("registry.fetch-failed", { repository: name, digest, message: messageOf(error) });
      throw error;
    }
  }

  /**
   * A list as the upstream gives it; undefined when it does not answer, and `isKept`: there is something to show instead.
   * Errors: NAME_UNKNOWN, DENIED; UNAVAILABLE rather than an empty list, which would be taken for the upstream's word.
   */
  async document(name: string, path: string, isKept: boolean): Promise<RegistryDocument | undefined> {
    try {
      return await this.options.upstream.document(name, path, this.stopping.signal);
    } catch (error) {
      const refused = upstreamRefusal(error, () =>
        refusal("NAME_UNKNOWN", `${name} has no such list upstream`),
      );
      if (isKept && isPassing(refused)) return undefined;
      throw refused;
    }
  }

  /** Ends all downloads. */
  close(): void {
    this.stopping.abort(new PlatformError("Cancelled", "the registry stops"));
  }
}

/** Work that several callers want at the same time is done once. */
async function once<T>(running: Map<string, Promise<T>>, key: string, start: () => Promise<T>): Promise<T> {
  const known = running.get(key);
  if (known) return await known;
  const work = start().finally(() => running.delete(key));
  running.set(key, work);
  return await work;
}
