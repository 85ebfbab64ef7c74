import type { BlobOutcome, BlobUpload, RemoteUploads } from "../../core/transfer/contract.ts";
import { PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import { familiarName, type Reference } from "../../formats/reference.ts";
import type { RegistrySession } from "./registry-session.ts";
import { RegistryError, responseError } from "./response-error.ts";
import { pause, type RetryPolicy, retryDelayMs, withRetries } from "./retry.ts";
import type { HttpResponse } from "./transport.ts";

/** More are not tried: each costs a request. */
const maxMountAttempts = 3;

type BegunUpload = { readonly mounted: true } | { readonly mounted: false; readonly location: URL };

/** Distribution spec, "Push": one upload session and one PUT for a blob; blobs of other repositories are mounted. */
export class RegistryUploads implements RemoteUploads {
  constructor(
    private readonly session: RegistrySession,
    private readonly reference: Reference,
    private readonly retry: RetryPolicy,
  ) {}

  hasBlob(digest: Digest, signal: AbortSignal): Promise<boolean> {
    return withRetries(this.retry, signal, async () => {
      const response = await this.session.send({
        method: "HEAD",
        path: this.path(`blobs/${digest}`),
        signal,
      });
      if (response.status === 404 || response.status === 200) {
        await response.discard();
        return response.status === 200;
      }
      throw this.inDockersWords(await responseError(response));
    });
  }

  async ensureBlob(upload: BlobUpload): Promise<BlobOutcome> {
    const { descriptor, mountFrom, signal } = upload;
    if (await this.hasBlob(descriptor.digest, signal)) return { kind: "present" };
    let session: URL | undefined;
    for (const from of mountFrom.slice(0, maxMountAttempts)) {
      if (session) await this.cancel(session, signal);
      const begun = await withRetries(this.retry, signal, () =>
        this.begin(`?mount=${descriptor.digest}&from=${encodeURIComponent(from)}`, signal),
      );
      if (begun.mounted) return { kind: "mounted", from };
      session = begun.location; // a registry that does not mount begins an ordinary upload
    }
    await this.send(upload, session);
    return { kind: "uploaded" };
  }

  /** Attempts after the first begin an upload of their own: what became of the broken one is unknown. */
  private async send(upload: BlobUpload, begun: URL | undefined): Promise<void> {
    const { signal } = upload;
    let session = begun;
    for (let failures = 1; ; failures++) {
      try {
        session ??= await this.beginPlain(signal);
        return await this.put(upload, session);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        session = undefined;
        const delayMs = retryDelayMs(this.retry, failures, error);
        if (delayMs === undefined) throw naming(upload.descriptor, error);
        upload.onRetry(Math.ceil(delayMs / 1000));
        await pause(delayMs, signal);
      }
    }
  }

  private async beginPlain(signal: AbortSignal): Promise<URL> {
    const begun = await this.begin("", signal);
    if (!begun.mounted) return begun.location;
    throw unavailable("the registry answers the begin of an upload as if it were over", {
      code: "registry.bad-upload",
    });
  }

  private async begin(query: string, signal: AbortSignal): Promise<BegunUpload> {
    const path = this.path(`blobs/uploads/${query}`);
    const headers = { "content-length": "0" };
    const response = await this.session.send({ method: "POST", path, headers, signal });
    if (response.status !== 201 && response.status !== 202) {
      throw this.inDockersWords(await responseError(response));
    }
    await response.discard();
    return response.status === 201 ? { mounted: true } : { mounted: false, location: locationOf(response) };
  }

  private async put({ descriptor, open, onProgress, signal }: BlobUpload, session: URL): Promise<void> {
    const url = new URL(session);
    url.searchParams.set("digest", descriptor.digest);
    const response = await this.session.send({
      method: "PUT",
      path: url,
      headers: { "content-type": "application/octet-stream" },
      body: { sizeBytes: descriptor.size, open: () => counted(open(), onProgress) },
      signal,
    });
    if (response.status < 200 || response.status > 299) {
      throw this.inDockersWords(await responseError(response));
    }
    await response.discard();
  }

  private async cancel(session: URL, signal: AbortSignal): Promise<void> {
    const response = await this.session.send({ method: "DELETE", path: session, signal });
    await response.discard();
  }

  putManifest(name: string, manifest: Descriptor, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return withRetries(this.retry, signal, async () => {
      const response = await this.session.send({
        method: "PUT",
        path: this.path(`manifests/${name}`),
        headers: { "content-type": manifest.mediaType },
        body: bytes,
        signal,
      });
      if (response.status < 200 || response.status > 299) {
        throw this.inDockersWords(await responseError(response));
      }
      await response.discard();
      const stored = response.headers.get("docker-content-digest");
      if (stored === null || stored === manifest.digest) return;
      throw unavailable(`the registry stored ${stored} instead of manifest ${manifest.digest}`, {
        code: "registry.wrong-digest",
      });
    });
  }

  private path(below: string): string {
    return `${this.reference.path}/${below}`;
  }

  /** The texts that Docker's engine makes of a registry's errors. */
  private inDockersWords(error: PlatformError): PlatformError {
    if (!(error instanceof RegistryError)) return error;
    if (error.registryCode !== "DENIED" && error.registryCode !== "UNAUTHORIZED") return error;
    const { kind, code, message } = error;
    return new PlatformError(kind, message, {
      code,
      hint: `log in with an account that may write to ${familiarName(this.reference)}`,
    });
  }
}

function locationOf(response: HttpResponse): URL {
  const location = response.headers.get("location");
  if (location !== null && URL.canParse(location, response.request.url)) {
    return new URL(location, response.request.url);
  }
  throw unavailable("the registry does not say where the upload goes", { code: "registry.bad-upload" });
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onProgress: (currentBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of chunks) {
    yield chunk;
    current += chunk.length;
    onProgress(current);
  }
}

function naming({ digest }: Descriptor, error: unknown): unknown {
  if (!(error instanceof PlatformError)) return error;
  const { kind, code, hint, message } = error;
  return new PlatformError(kind, `upload of ${digest} failed: ${message}`, { code, hint, cause: error });
}
