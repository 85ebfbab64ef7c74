import type { BlobTarget, OnRetry, RemoteRepository } from "../../core/transfer/contract.ts";
import { notFound, type PlatformError, unavailable } from "../../errors/platform-error.ts";
import { type Digest, digestAlgorithm, digestOf, isDigest } from "../../formats/digest.ts";
import { bareMediaType, type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { familiarName, familiarReference, type Reference } from "../../formats/reference.ts";
import { type BlobDownload, downloadBlob, downloadInto } from "./download-blob.ts";
import { listing, maxPages, nextPage, pageSize } from "./listing.ts";
import type { RegistrySession } from "./registry-session.ts";
import { RegistryError, responseError } from "./response-error.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import type { HttpResponse } from "./transport.ts";

/** Old registries choose by this list; its order is that of Docker's client. */
const acceptedManifests = [
  mediaTypes.dockerManifest,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  "*/*",
].join(", ");

/** Distribution spec, "Pushing Manifests": registries take at least this much; more is no manifest. */
const maxManifestBytes = 4 << 20;

export class RegistryRepository implements RemoteRepository {
  /** Documents that came while resolving. */
  private readonly documents = new Map<Digest, Uint8Array>();

  constructor(
    private readonly session: RegistrySession,
    private readonly reference: Reference,
    private readonly retry: RetryPolicy,
  ) {}

  resolve(signal: AbortSignal, onRetry?: OnRetry): Promise<Descriptor> {
    const wanted = this.reference.digest ?? this.reference.tag ?? "latest";
    const attempt = async () => {
      const head = await this.requestManifest("HEAD", wanted, signal);
      await head.discard();
      return (head.status === 200 && descriptorOf(head)) || (await this.resolveByGet(wanted, signal));
    };
    return withRetries(this.retry, signal, attempt, onRetry);
  }

  /** For registries without HEAD or its headers; and it is GET whose body tells the reason of a failure. */
  private async resolveByGet(wanted: string, signal: AbortSignal): Promise<Descriptor> {
    const response = await this.requestManifest("GET", wanted, signal);
    if (response.status !== 200) throw this.inDockersWords(await responseError(response));
    const bytes = await response.bytes(maxManifestBytes);
    const digest = isDigest(wanted) ? wanted : digestOf(bytes);
    verifyManifest(digest, bytes);
    this.documents.set(digest, bytes);
    return { mediaType: contentType(response), digest, size: bytes.length };
  }

  async manifest(descriptor: Descriptor, signal: AbortSignal, onRetry?: OnRetry): Promise<Uint8Array> {
    const { digest, size } = descriptor;
    const known = this.documents.get(digest);
    if (known) return known;
    const attempt = async () => {
      const response = await this.requestManifest("GET", digest, signal);
      if (response.status !== 200) throw this.inDockersWords(await responseError(response), digest);
      const bytes = await response.bytes(maxManifestBytes);
      verifyManifest(digest, bytes);
      if (bytes.length !== size) {
        throw unavailable(`manifest ${digest} has ${bytes.length} bytes, its descriptor promises ${size}`, {
          code: "registry.wrong-size",
        });
      }
      return bytes;
    };
    return await withRetries(this.retry, signal, attempt, onRetry);
  }

  private requestManifest(
    method: "GET" | "HEAD",
    wanted: string,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const headers = { accept: acceptedManifests };
    return this.session.send({ method, path: `${this.reference.path}/manifests/${wanted}`, headers, signal });
  }

  async tags(signal: AbortSignal): Promise<string[]> {
    const tags: string[] = [];
    let path: string | URL = `${this.reference.path}/tags/list?n=${pageSize}`;
    for (let page = 0; page < maxPages; page++) {
      const { names, next } = await withRetries(this.retry, signal, () => this.tagPage(path, signal));
      tags.push(...names);
      if (next === undefined) return tags.sort();
      path = next;
    }
    throw unavailable(`${familiarName(this.reference)} has more than ${maxPages * pageSize} tags`, {
      code: "registry.too-long",
    });
  }

  private async tagPage(path: string | URL, signal: AbortSignal) {
    const response = await this.session.send({ method: "GET", path, signal });
    if (response.status !== 200) throw this.inDockersWords(await responseError(response));
    const names = (await listing(response)).strings("tags") ?? [];
    return { names, next: nextPage(response) };
  }

  blob(
    descriptor: Descriptor,
    offset: number,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): AsyncIterable<Uint8Array> {
    return downloadBlob(this.downloadOf(descriptor, signal, onRetry), offset);
  }

  download(
    descriptor: Descriptor,
    target: BlobTarget,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): Promise<void> {
    return downloadInto(this.downloadOf(descriptor, signal, onRetry), target);
  }

  private downloadOf(descriptor: Descriptor, signal: AbortSignal, onRetry?: OnRetry): BlobDownload {
    const path = `${this.reference.path}/blobs/${descriptor.digest}`;
    return { session: this.session, path, descriptor, retry: this.retry, signal, onRetry };
  }

  /** There is no other source. */
  reject(): boolean {
    return false;
  }

  /** The texts that Docker's engine makes of a registry's errors. */
  private inDockersWords(error: PlatformError, digest?: Digest): PlatformError {
    if (!(error instanceof RegistryError)) return error;
    const name = familiarName(this.reference);
    const whole = digest ? `${name}@${digest}` : familiarReference(this.reference);
    const { code, message } = error;
    switch (error.registryCode) {
      case "DENIED":
        return notFound(
          `pull access denied for ${name}, repository does not exist or may require 'docker login': ${message}`,
          { code, hint: "check the name, or log in to the registry" },
        );
      case "MANIFEST_UNKNOWN":
        return notFound(`manifest for ${whole} not found: ${message}`, { code });
      case "NAME_UNKNOWN":
        return notFound(`repository ${name} not found: ${message}`, { code });
      default:
        return error;
    }
  }
}

/** Undefined if the headers do not say enough. */
function descriptorOf(response: HttpResponse): Descriptor | undefined {
  const digest = response.headers.get("docker-content-digest") ?? "";
  const length = response.headers.get("content-length") ?? "";
  const mediaType = contentType(response);
  if (!isDigest(digest) || !/^\d+$/.test(length) || mediaType === "") return undefined;
  return { mediaType, digest, size: Number(length) };
}

function contentType(response: HttpResponse): string {
  return bareMediaType(response.headers.get("content-type"));
}

function verifyManifest(digest: Digest, bytes: Uint8Array): void {
  if (digestOf(bytes, digestAlgorithm(digest)) === digest) return;
  throw unavailable(`manifest verification failed for digest ${digest}`, { code: "registry.wrong-digest" });
}
