import type { BlobUpload } from "../../core/transfer/contract.ts";
import { unavailable } from "../../errors/platform-error.ts";
import type { RequestSender } from "./registry-session.ts";
import { RegistryError, responseError } from "./response-error.ts";
import { isTransient, type RetryPolicy, retryDelayMs } from "./retry.ts";
import type { HttpMethod, HttpResponse, StreamedBody } from "./transport.ts";

/** An upload that a registry began. Distribution spec, "Pushing blobs". */
export interface UploadSession {
  /** Where the next request goes; each answer can name another place. */
  readonly location: URL;
  /** `OCI-Chunk-Min-Length`: no chunk but the last may be smaller. */
  readonly minChunkBytes: number;
}

const firstChunkBytes = 16 << 20;
/** A way to a registry that does not let this much through is none. */
const leastChunkBytes = 256 << 10;
/** Statuses of registries, and of proxies before them, that do not take a blob in one piece. */
const wholeRefused = new Set([405, 411, 413, 501]);

/**
 * One blob on its way up. It is sent in one piece; in chunks where that is refused; and after a broken connection
 * from where the registry says that it stopped, if the registry can tell.
 */
export class BlobSending {
  private session: UploadSession | undefined;
  private offset = 0;
  /** Undefined: in one piece. */
  private chunkBytes: number | undefined;
  private failures = 0;
  private failedAt = 0;

  constructor(
    private readonly registry: RequestSender,
    private readonly upload: BlobUpload,
    begun: UploadSession | undefined,
    private readonly begin: () => Promise<UploadSession>,
  ) {
    this.session = begun;
  }

  /** One attempt. Errors: any; `recover` tells whether there is a next one. */
  async attempt(): Promise<void> {
    this.session ??= await this.begin();
    const { digest, size } = this.upload.descriptor;
    if (this.chunkBytes === undefined && this.offset === 0) {
      await this.request("PUT", this.session, { digest, body: this.body(0, size) });
      return;
    }
    const wanted = Math.max(this.chunkBytes ?? firstChunkBytes, this.session.minChunkBytes);
    while (this.offset < size) {
      const end = Math.min(this.offset + wanted, size);
      this.session = await this.patch(this.session, end);
      this.offset = end;
    }
    await this.request("PUT", this.session, { digest });
  }

  /**
   * After a failed attempt: how long to wait for the next one, in milliseconds; undefined when there is none. What is
   * refused for its size is tried in smaller pieces. Failures count while nothing gets through between them.
   */
  recover(error: unknown, retry: RetryPolicy): number | undefined {
    this.failures = this.offset > this.failedAt ? 1 : this.failures + 1;
    this.failedAt = this.offset;
    const status = error instanceof RegistryError ? error.status : undefined;
    if (this.chunkBytes === undefined && status !== undefined && wholeRefused.has(status)) {
      this.chunkBytes = firstChunkBytes;
      return 0;
    }
    if (status === 413 && this.chunkBytes !== undefined) {
      this.chunkBytes /= 4;
      const least = Math.max(leastChunkBytes, this.session?.minChunkBytes ?? 0);
      return this.chunkBytes >= least ? 0 : undefined;
    }
    // The registry counts otherwise: it is asked where it stands.
    if (status === 416) return this.failures < retry.attempts ? 0 : undefined;
    return retryDelayMs(retry, this.failures, error);
  }

  /** Asks the registry how much it has; an upload that it does not know any more begins anew. */
  async resume(): Promise<void> {
    const { session } = this;
    if (session === undefined) return;
    const { signal } = this.upload;
    const response = await this.registry
      .send({ method: "GET", path: session.location, signal })
      .catch((error) => {
        if (signal.aborted || !isTransient(error)) throw error;
      });
    await response?.discard();
    const known = response !== undefined && (response.status === 204 || response.status === 202);
    const received = known ? receivedBytes(response) : 0;
    const usable = known && received <= this.upload.descriptor.size;
    this.session = usable ? { ...session, location: locationOf(response, session.location) } : undefined;
    this.offset = usable ? received : 0;
    this.failedAt = Math.min(this.failedAt, this.offset);
  }

  private async patch(session: UploadSession, end: number): Promise<UploadSession> {
    const headers = { "content-range": `${this.offset}-${end - 1}` };
    const response = await this.request("PATCH", session, { headers, body: this.body(this.offset, end) });
    return { ...session, location: locationOf(response, session.location) };
  }

  private body(start: number, end: number): StreamedBody {
    const { open, onProgress } = this.upload;
    return {
      sizeBytes: end - start,
      open: async function* () {
        let current = start;
        for await (const chunk of open({ start, end })) {
          yield chunk;
          current += chunk.length;
          onProgress(current);
        }
      },
    };
  }

  private async request(
    method: HttpMethod,
    { location }: UploadSession,
    { digest, headers, body }: { digest?: string; headers?: Record<string, string>; body?: StreamedBody },
  ): Promise<HttpResponse> {
    const url = new URL(location);
    if (digest !== undefined) url.searchParams.set("digest", digest);
    const response = await this.registry.send({
      method,
      path: url,
      headers: {
        ...headers,
        ...(body ? { "content-type": "application/octet-stream" } : { "content-length": "0" }),
      },
      ...(body ? { body } : {}),
      signal: this.upload.signal,
    });
    if (response.status < 200 || response.status > 299) throw await responseError(response);
    await response.discard();
    return response;
  }
}

/** What an answer to the begin of an upload says of it. Errors: Unavailable without a place to send to. */
export function uploadSession(response: HttpResponse): UploadSession {
  const least = Number(response.headers.get("oci-chunk-min-length") ?? 0);
  return {
    location: locationOf(response, undefined),
    minChunkBytes: Number.isSafeInteger(least) && least > 0 ? least : 0,
  };
}

/** Absolute or relative, with or without a query; some registries leave it out where it stays the same. */
function locationOf(response: HttpResponse, otherwise: URL | undefined): URL {
  const location = response.headers.get("location");
  if (location !== null && URL.canParse(location, response.request.url)) {
    return new URL(location, response.request.url);
  }
  if (otherwise !== undefined) return otherwise;
  throw unavailable("the registry does not say where the upload goes", { code: "registry.bad-upload" });
}

/** `Range: 0-N`. Registries say `0-0` of nothing too, so that a single byte counts as nothing. */
function receivedBytes(response: HttpResponse): number {
  const [, end] = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get("range") ?? "") ?? [];
  return end === undefined || end === "0" ? 0 : Number(end) + 1;
}
