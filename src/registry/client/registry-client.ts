import type {
  Registries,
  RegistryCredentials,
  RemoteRepository,
  RemoteUploads,
  SearchHit,
  SearchQuery,
} from "../../core/transfer/contract.ts";
import { PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { Reference } from "../../formats/reference.ts";
import { Authorizer } from "./authorizer.ts";
import { HostCertificates } from "./host-certificates.ts";
import { InsecureRegistries } from "./insecure-registries.ts";
import { MirroredRepository } from "./mirrored-repository.ts";
import { noProxies } from "./proxy-settings.ts";
import { RegistryDocuments } from "./registry-documents.ts";
import {
  indexEndpoint,
  mirrorEndpoint,
  type RegistryEndpoint,
  registryEndpoint,
} from "./registry-endpoint.ts";
import { RegistryRepository } from "./registry-repository.ts";
import { type KnownSchemes, RegistrySession } from "./registry-session.ts";
import type { Mirror, RegistrySettings } from "./registry-settings.ts";
import { RegistryUploads } from "./registry-uploads.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import { searchCatalog, searchIndex } from "./search-registry.ts";
import { TokenCache } from "./token-cache.ts";
import { Transport } from "./transport.ts";

export interface RegistryClientOptions {
  readonly userAgent: string;
  readonly settings?: Partial<RegistrySettings>;
  readonly responseTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  /** How often a thing is tried at most. */
  readonly attempts?: number;
  readonly retry?: RetryPolicy;
}

const defaultRetry: RetryPolicy = { attempts: 5, firstDelayMs: 150, maxDelayMs: 30_000 };

/** The client side of the distribution protocol, for all registries. Keeps tokens between pulls. */
export class RegistryClient implements Registries {
  private readonly transport: Transport;
  private readonly tokens = new TokenCache();
  private readonly schemes: KnownSchemes = new Map();
  private readonly insecure: InsecureRegistries;
  private readonly mirrors: RegistrySettings["mirrors"];
  private readonly retry: RetryPolicy;

  constructor(options: RegistryClientOptions) {
    const { settings = {} } = options;
    this.transport = new Transport({
      userAgent: options.userAgent,
      responseTimeoutMs: options.responseTimeoutMs ?? 30_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
      certificates: new HostCertificates(settings.certificatesDirectory),
      proxies: settings.proxies ?? noProxies,
    });
    this.insecure = new InsecureRegistries(settings.insecureRegistries ?? []);
    this.mirrors = settings.mirrors ?? {};
    this.retry = options.retry ?? { ...defaultRetry, attempts: options.attempts ?? defaultRetry.attempts };
  }

  repository(reference: Reference, credentials: RegistryCredentials | undefined): RemoteRepository {
    const registry = this.repositoryAt(
      () => registryEndpoint(reference.domain, this.insecure),
      reference,
      credentials,
      this.retry,
    );
    const mirrors = this.mirrors[reference.domain] ?? [];
    if (mirrors.length === 0) return registry;
    return new MirroredRepository(
      mirrors.map((mirror) => ({ mirror, repository: this.mirrorOf(mirror, reference) })),
      registry,
    );
  }

  /** For a cache in front of the registry; mirrors are not asked. */
  documents(
    { domain, path }: Pick<Reference, "domain" | "path">,
    credentials: RegistryCredentials | undefined,
  ): RegistryDocuments {
    const endpoint = () => registryEndpoint(domain, this.insecure);
    const session = this.session(endpoint, credentials, `repository:${path}:pull`, false);
    return new RegistryDocuments(session, this.retry);
  }

  /** Credentials are for the registry alone, and where a mirror fails the registry is there: it is tried once. */
  private mirrorOf(mirror: Mirror, reference: Reference): RegistryRepository {
    const endpoint = () => mirrorEndpoint(mirror, this.insecure);
    return this.repositoryAt(endpoint, reference, undefined, { ...this.retry, attempts: 1 });
  }

  private repositoryAt(
    endpoint: () => Promise<RegistryEndpoint>,
    reference: Reference,
    credentials: RegistryCredentials | undefined,
    retry: RetryPolicy,
  ): RegistryRepository {
    const session = this.session(endpoint, credentials, `repository:${reference.path}:pull`, false);
    return new RegistryRepository(session, reference, retry);
  }

  uploads(
    reference: Reference,
    credentials: RegistryCredentials | undefined,
    mountFrom: readonly string[],
  ): RemoteUploads {
    const sources = mountFrom.map((path) => `repository:${path}:pull`);
    const scope = [`repository:${reference.path}:pull,push`, ...sources].join(" ");
    const endpoint = () => registryEndpoint(reference.domain, this.insecure);
    return new RegistryUploads(this.session(endpoint, credentials, scope, true), reference, this.retry);
  }

  async login(
    domain: string,
    credentials: RegistryCredentials,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const authorizer = new Authorizer(this.transport, this.tokens, credentials, "", false, true);
    const endpoint = () => registryEndpoint(domain, this.insecure);
    const session = new RegistrySession(endpoint, this.transport, authorizer, this.schemes);
    const response = await withRetries(this.retry, signal, () =>
      session.send({ method: "GET", path: "", signal }),
    );
    await response.discard();
    if (response.status === 200) return authorizer.identityToken;
    const { status, statusText, request } = response;
    const text = `login attempt to ${request.url} failed with status: ${status} ${statusText}`.trimEnd();
    if (status === 401 || status === 403) {
      throw new PlatformError("Unauthorized", text, {
        code: "registry.unauthorized",
        hint: "check user name and password",
      });
    }
    throw unavailable(text, { code: "registry.unavailable" });
  }

  /** Docker Hub has an index to ask; other registries have a catalog to read, or such an index, too. */
  async search(domain: string, { credentials, ...query }: SearchQuery): Promise<readonly SearchHit[]> {
    const index = () => indexEndpoint(domain, this.insecure);
    const searched = () => searchIndex(this.session(index, credentials, "", false), query);
    return await withRetries(this.retry, query.signal, async () => {
      if (domain === "docker.io") return await searched();
      const registry = () => registryEndpoint(domain, this.insecure);
      const catalog = this.session(registry, credentials, "registry:catalog:*", false);
      return (await searchCatalog(catalog, query)) ?? (await searched());
    });
  }

  private session(
    endpoint: () => Promise<RegistryEndpoint>,
    credentials: RegistryCredentials | undefined,
    scope: string,
    isScopeFixed: boolean,
  ): RegistrySession {
    const authorizer = new Authorizer(this.transport, this.tokens, credentials, scope, isScopeFixed);
    return new RegistrySession(endpoint, this.transport, authorizer, this.schemes);
  }
}
