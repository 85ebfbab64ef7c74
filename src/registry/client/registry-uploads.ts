import type { BlobOutcome, BlobUpload, RemoteUploads } from "../../core/transfer/contract.ts";
import { PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import { familiarName, type Reference } from "../../formats/reference.ts";
import { BlobSending, type UploadSession, uploadSession } from "./blob-sending.ts";
import type { RequestSender } from "./registry-session.ts";
import { RegistryError, responseError } from "./response-error.ts";
import { pause, type RetryPolicy, withRetries } from "./retry.ts";

/** More are not tried: each costs a request. */
const maxMountAttempts = 3;

type BegunUpload = { readonly mounted: true } | { readonly mounted: false; readonly session: UploadSession };

/** Distribution spec, "Push": an upload session for a blob; blobs of other repositories are mounted. */
export class RegistryUploads implements RemoteUploads {
  constructor(
    private readonly session: RequestSender,
    private readonly reference: Reference,
    private readonly retry: RetryPolicy,
    /** Whether the operator lets layers go there that are not to be distributed. */
    readonly takesForeignLayers: () => Promise<boolean>,
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
    let session: UploadSession | undefined;
    for (const from of mountFrom.slice(0, maxMountAttempts)) {
      if (session) await this.cancel(session, signal);
      const begun = await withRetries(this.retry, signal, () =>
        this.begin(`?mount=${descriptor.digest}&from=${encodeURIComponent(from)}`, signal),
      );
      if (begun.mounted) return { kind: "mounted", from };
      session = begun.session; // a registry that does not mount begins an ordinary upload
    }
    await this.send(upload, session);
    return { kind: "uploaded" };
  }

  private async send(upload: BlobUpload, begun: UploadSession | undefined): Promise<void> {
    const { signal } = upload;
    const sending = new BlobSending(this.session, upload, begun, () => this.beginPlain(signal));
    for (;;) {
      try {
        return await sending.attempt();
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const delayMs = sending.recover(error, this.retry);
        if (delayMs === undefined) throw naming(upload.descriptor, this.inDockersWords(error));
        if (delayMs > 0) upload.onRetry(Math.ceil(delayMs / 1000));
        await pause(delayMs, signal);
        await sending.resume();
      }
    }
  }

  private async beginPlain(signal: AbortSignal): Promise<UploadSession> {
    const begun = await this.begin("", signal);
    if (!begun.mounted) return begun.session;
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
    return response.status === 201 ? { mounted: true } : { mounted: false, session: uploadSession(response) };
  }

  /** A courtesy: the registry forgets it by itself after some time. Errors: the signal's reason. */
  private async cancel({ location }: UploadSession, signal: AbortSignal): Promise<void> {
    const sent = this.session.send({ method: "DELETE", path: location, signal });
    const response = await sent.catch(() => signal.throwIfAborted());
    await response?.discard();
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
  private inDockersWords(error: unknown): unknown {
    if (!(error instanceof RegistryError)) return error;
    if (error.registryCode !== "DENIED" && error.registryCode !== "UNAUTHORIZED") return error;
    const { kind, code, message } = error;
    return new PlatformError(kind, message, {
      code,
      hint: `log in with an account that may write to ${familiarName(this.reference)}`,
    });
  }
}

function naming({ digest }: Descriptor, error: unknown): unknown {
  if (!(error instanceof PlatformError)) return error;
  const { kind, code, hint, message } = error;
  return new PlatformError(kind, `upload of ${digest} failed: ${message}`, { code, hint, cause: error });
}
