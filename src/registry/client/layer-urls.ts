import { isStorageError } from "../../core/content/file-error.ts";
import type { BlobTarget, OnRetry, RemoteRepository } from "../../core/transfer/contract.ts";
import { isForeign } from "../../core/transfer/stored-layers.ts";
import { messageOf, notFound, PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import { type BlobDownload, downloadBlob, downloadInto } from "./download-blob.ts";
import type { LayerHosts } from "./layer-hosts.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Transport } from "./transport.ts";

/** More of a layer are not asked: a manifest is no way to knock at every door. */
const maxUrls = 8;

/** One place that may have a blob. */
interface Source {
  /** Undefined: the registry. */
  readonly url: string | undefined;
  readonly blob: (offset: number) => AsyncIterable<Uint8Array>;
  readonly download: (target: BlobTarget) => Promise<void>;
}

/** What is known of a blob with URLs, by its digest. */
interface Tried {
  /** Sources that are not asked again, with what became of them. */
  readonly failures: Map<string | undefined, unknown>;
  /** Sources of which some bytes came. */
  readonly gave: Set<string | undefined>;
}

export interface LayerUrlOptions {
  readonly transport: Transport;
  /** Asked at each use. */
  readonly hosts: () => LayerHosts;
  readonly retry: RetryPolicy;
}

/**
 * A repository whose layers may lie elsewhere, at the `urls` of their descriptors: those are asked in their order where
 * the registry does not give the layer. No credentials, headers or client certificates go there.
 * Spec: OCI image-spec, "Descriptors" (urls), "Non-distributable Layers".
 */
export class LayerUrls implements RemoteRepository {
  private readonly tried = new Map<Digest, Tried>();

  constructor(
    private readonly registry: RemoteRepository,
    private readonly options: LayerUrlOptions,
  ) {}

  resolve(signal: AbortSignal, onRetry?: OnRetry): Promise<Descriptor> {
    return this.registry.resolve(signal, onRetry);
  }

  manifest(descriptor: Descriptor, signal: AbortSignal, onRetry?: OnRetry): Promise<Uint8Array> {
    return this.registry.manifest(descriptor, signal, onRetry);
  }

  tags(signal: AbortSignal): Promise<string[]> {
    return this.registry.tags(signal);
  }

  async *blob(
    descriptor: Descriptor,
    offset: number,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { gave } = this.triedOf(descriptor);
    let position = offset;
    for (const source of this.sourcesOf(descriptor, signal, onRetry)) {
      try {
        for await (const chunk of source.blob(position)) {
          gave.add(source.url);
          position += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        this.failed(descriptor, source, error, signal);
      }
    }
    throw this.noSource(descriptor);
  }

  async download(
    descriptor: Descriptor,
    target: BlobTarget,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): Promise<void> {
    const { gave } = this.triedOf(descriptor);
    for (const source of this.sourcesOf(descriptor, signal, onRetry)) {
      const before = target.offset;
      try {
        return await source.download(target);
      } catch (error) {
        if (isStorageError(error)) throw error;
        this.failed(descriptor, source, error, signal);
      } finally {
        if (target.offset > before) gave.add(source.url);
      }
    }
    throw this.noSource(descriptor);
  }

  /** One that broke off is to blame before one that gave all there was. */
  reject(descriptor: Descriptor): boolean {
    const urls = urlsOf(descriptor);
    if (this.registry.reject(descriptor)) return true;
    if (urls.length === 0) return false;
    const { failures, gave } = this.triedOf(descriptor);
    const isBroken = [...gave].some((source) => failures.has(source));
    if (!isBroken) for (const source of gave) failures.set(source, wrongBytes());
    gave.clear();
    return [undefined, ...urls].some((source) => !failures.has(source));
  }

  private triedOf({ digest }: Descriptor): Tried {
    const tried = this.tried.get(digest) ?? { failures: new Map(), gave: new Set() };
    this.tried.set(digest, tried);
    return tried;
  }

  /** Those that did not fail yet, the registry first. */
  private sourcesOf(descriptor: Descriptor, signal: AbortSignal, onRetry: OnRetry | undefined): Source[] {
    const { registry } = this;
    const own: Source = {
      url: undefined,
      blob: (offset) => registry.blob(descriptor, offset, signal, onRetry),
      download: (target) => registry.download(descriptor, target, signal, onRetry),
    };
    const others = urlsOf(descriptor).map((url): Source => {
      const ask = () => this.downloadOf(url, descriptor, signal, onRetry);
      return {
        url,
        blob: async function* (offset) {
          yield* downloadBlob(ask(), offset);
        },
        download: async (target) => downloadInto(ask(), target),
      };
    });
    const { failures } = this.triedOf(descriptor);
    return [own, ...others].filter(({ url }) => !failures.has(url));
  }

  /** Errors: the failure itself where there is nobody else to ask; the signal's reason. */
  private failed(descriptor: Descriptor, { url }: Source, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) throw signal.reason;
    if (urlsOf(descriptor).length === 0) {
      throw isForeign(descriptor) && isNotFound(error) ? nowhere(descriptor, error) : error;
    }
    this.triedOf(descriptor).failures.set(url, error);
  }

  private downloadOf(
    text: string,
    descriptor: Descriptor,
    signal: AbortSignal,
    onRetry: OnRetry | undefined,
  ): BlobDownload {
    const { transport, hosts, retry } = this.options;
    if (!URL.canParse(text)) throw unavailable("it is no URL", { code: "registry.url-refused" });
    const path = new URL(text);
    const allowed = hosts();
    const session: BlobDownload["session"] = {
      send: ({ headers = {}, receiver, signal: stop }) =>
        transport.send({
          method: "GET",
          url: path.href,
          headers,
          trust: { verifyTls: true, host: path.host, isAnonymous: true },
          addressesFor: (url) => allowed.policyFor(url),
          receiver,
          signal: stop,
        }),
    };
    return { session, path, descriptor, retry, signal, onRetry };
  }

  private noSource(descriptor: Descriptor): PlatformError {
    return noSource(descriptor, this.triedOf(descriptor).failures);
  }
}

const urlsOf = ({ urls = [] }: Descriptor): readonly string[] => [...new Set(urls)].slice(0, maxUrls);

const isNotFound = (error: unknown) => error instanceof PlatformError && error.kind === "NotFound";

const wrongBytes = () => unavailable("the bytes are others", { code: "registry.wrong-digest" });

function nowhere({ digest }: Descriptor, cause: unknown): PlatformError {
  return notFound(
    `the registry does not have the foreign layer ${digest}, and the manifest names no other place`,
    {
      code: "transfer.foreign-layer",
      hint: "pull the image from a registry that keeps its foreign layers",
      cause,
    },
  );
}

/** Unavailable, after which what came is kept, unless all of them know that they do not have it. */
function noSource({ digest }: Descriptor, failures: Tried["failures"]): PlatformError {
  const reasons = [...failures].map(([url, error]) => `${shown(url)}: ${messageOf(error)}`);
  const hints = [...failures.values()].flatMap(
    (error) => (error instanceof PlatformError && error.hint) || [],
  );
  return new PlatformError(
    [...failures.values()].every(isNotFound) ? "NotFound" : "Unavailable",
    `layer ${digest} is not in the registry, nor at its urls (${reasons.join("; ")})`,
    {
      code: "transfer.foreign-layer",
      hint: hints[0] ?? "pull the image from a registry that keeps its foreign layers",
      cause: [...failures.values()].at(-1),
    },
  );
}

const shown = (url: string | undefined) =>
  url === undefined ? "the registry" : JSON.stringify(url.slice(0, 300));
