import { isStorageError } from "../../core/content/file-error.ts";
import type { BlobTarget, OnRetry, RemoteRepository } from "../../core/transfer/contract.ts";
import { messageOf, PlatformError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import type { Capability, Mirror } from "./registry-settings.ts";

export interface MirrorSource {
  readonly mirror: Mirror;
  readonly repository: RemoteRepository;
}

/** Who may be asked. */
export interface Hosts {
  readonly mirrors: readonly MirrorSource[];
  /** Throws where the configuration does not let the registry itself be asked for that. */
  readonly checkRegistry?: (what: Capability) => void;
}

/**
 * One repository of a registry that has mirrors: they are asked first, in their order, and the registry where
 * none of them has the answer. A mirror that fails, lies or breaks off costs time, never the pull.
 */
export class MirroredRepository implements RemoteRepository {
  private found: Promise<Hosts> | undefined;
  /** Those that are not asked again, with what became of them. */
  private readonly failures = new Map<MirrorSource, unknown>();
  /** Blobs of which some bytes came from a mirror. */
  private readonly fromMirrors = new Set<Digest>();
  /** Blobs that only the registry is asked for. */
  private readonly rejected = new Set<Digest>();

  constructor(
    /** Asked once. */
    private readonly findHosts: () => Promise<Hosts>,
    private readonly registry: RemoteRepository,
  ) {}

  private get hosts(): Promise<Hosts> {
    this.found ??= this.findHosts();
    return this.found;
  }

  private async able(what: Capability): Promise<readonly MirrorSource[]> {
    return (await this.hosts).mirrors.filter(({ mirror }) => mirror.capabilities.includes(what));
  }

  private async registryFor(what: Capability): Promise<RemoteRepository> {
    (await this.hosts).checkRegistry?.(what);
    return this.registry;
  }

  async resolve(signal: AbortSignal, onRetry?: OnRetry): Promise<Descriptor> {
    return await this.first("resolve", (repository) => repository.resolve(signal, onRetry), signal);
  }

  async manifest(descriptor: Descriptor, signal: AbortSignal, onRetry?: OnRetry): Promise<Uint8Array> {
    const ask = (repository: RemoteRepository) => repository.manifest(descriptor, signal, onRetry);
    return await this.first("pull", ask, signal);
  }

  /** Only the registry has all. */
  async tags(signal: AbortSignal): Promise<string[]> {
    return await (await this.registryFor("resolve")).tags(signal);
  }

  async *blob(
    descriptor: Descriptor,
    offset: number,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let position = offset;
    for await (const source of this.mirrorsFor(descriptor)) {
      try {
        for await (const chunk of source.repository.blob(descriptor, position, signal)) {
          this.fromMirrors.add(descriptor.digest);
          position += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        this.failed(source, error, signal);
      }
    }
    try {
      yield* (await this.registryFor("pull")).blob(descriptor, position, signal, onRetry);
    } catch (error) {
      throw this.naming(error);
    }
  }

  async download(
    descriptor: Descriptor,
    target: BlobTarget,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): Promise<void> {
    for await (const source of this.mirrorsFor(descriptor)) {
      const before = target.offset;
      try {
        return await source.repository.download(descriptor, target, signal);
      } catch (error) {
        if (isStorageError(error)) throw error;
        this.failed(source, error, signal);
      } finally {
        if (target.offset > before) this.fromMirrors.add(descriptor.digest);
      }
    }
    try {
      await (await this.registryFor("pull")).download(descriptor, target, signal, onRetry);
    } catch (error) {
      throw isStorageError(error) ? error : this.naming(error);
    }
  }

  /** Lazy: what fails meanwhile is not asked. */
  private async *mirrorsFor({ digest }: Descriptor): AsyncGenerator<MirrorSource> {
    if (this.rejected.has(digest)) return;
    for (const source of await this.able("pull")) if (!this.failures.has(source)) yield source;
  }

  reject({ digest }: Descriptor): boolean {
    this.rejected.add(digest);
    return this.fromMirrors.delete(digest);
  }

  private async first<T>(
    what: Capability,
    ask: (repository: RemoteRepository) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    for (const source of await this.able(what)) {
      if (this.failures.has(source)) continue;
      try {
        return await ask(source.repository);
      } catch (error) {
        this.failed(source, error, signal);
      }
    }
    try {
      return await ask(await this.registryFor(what));
    } catch (error) {
      throw this.naming(error);
    }
  }

  /** What is not there can be all that a mirror lacks; any other failure ends its part in this pull. */
  private failed(source: MirrorSource, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof PlatformError && error.kind === "NotFound")) this.failures.set(source, error);
  }

  /** The registry's error, and that the mirrors failed before it: it may be one that is not to be reached. */
  private naming(error: unknown): unknown {
    if (!(error instanceof PlatformError) || this.failures.size === 0) return error;
    const { kind, message, code, hint } = error;
    const mirrors = [...this.failures].map(([{ mirror }, failure]) => `${mirror.url}: ${messageOf(failure)}`);
    const told = `mirrors failed before (${mirrors.join("; ")})`;
    return new PlatformError(kind, message, { code, hint: hint ? `${hint}; ${told}` : told, cause: error });
  }
}
