import type { Digest } from "../../formats/digest.ts";
import type { RegistrySession } from "./registry-session.ts";
import { RegistryError, responseError } from "./response-error.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";

/** Lists are longer than manifests, but not without end. */
const maxDocumentBytes = 16 << 20;

export interface RegistryDocument {
  readonly contentType: string;
  /** RFC 8288, of the next page. */
  readonly link: string | undefined;
  /** `OCI-Filters-Applied`. */
  readonly filters: string | undefined;
  readonly bytes: Uint8Array;
}

/** What a cache asks of a registry beside images: lists as they are, and how large a blob is. */
export class RegistryDocuments {
  constructor(
    private readonly session: RegistrySession,
    private readonly retry: RetryPolicy,
  ) {}

  /** `path` below `/v2/`. Errors: NotFound, Unauthorized, Forbidden or Unavailable. */
  get(path: string, signal: AbortSignal): Promise<RegistryDocument> {
    return withRetries(this.retry, signal, async () => {
      const response = await this.session.send({ method: "GET", path, signal });
      // Registries without the list (of referrers, for instance) have no document of errors for it either.
      if (response.status === 404) {
        await response.discard();
        throw new RegistryError("NotFound", `there is no ${path}`, "NAME_UNKNOWN", 404);
      }
      if (response.status !== 200) throw await responseError(response);
      return {
        contentType: response.headers.get("content-type") ?? "application/json",
        link: response.headers.get("link") ?? undefined,
        filters: response.headers.get("oci-filters-applied") ?? undefined,
        bytes: await response.bytes(maxDocumentBytes),
      };
    });
  }

  /** In bytes. Errors: as `get`, NotFound also for an unknown repository; Unavailable when the registry does not say it. */
  blobSize(repository: string, digest: Digest, signal: AbortSignal): Promise<number> {
    return withRetries(this.retry, signal, async () => {
      const path = `${repository}/blobs/${digest}`;
      const response = await this.session.send({ method: "HEAD", path, signal });
      const length = response.headers.get("content-length") ?? "";
      await response.discard();
      // An answer to HEAD has no document that would say so.
      if (response.status === 404)
        throw new RegistryError("NotFound", `${repository} has no blob ${digest}`, "BLOB_UNKNOWN", 404);
      if (response.status !== 200 || !/^\d{1,15}$/.test(length)) throw await responseError(response);
      return Number(length);
    });
  }
}
