import type {
  Registries,
  RegistryCredentials,
  RemoteRepository,
  RemoteUploads,
  SearchHit,
  SearchQuery,
} from "../../core/transfer/contract.ts";
import { invalidParameter, PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { Reference } from "../../formats/reference.ts";
import { Authorizer } from "./authorizer.ts";
import { HostCertificates } from "./host-certificates.ts";
import { HostList } from "./host-list.ts";
import { HostsFiles } from "./hosts-file.ts";
import { InsecureRegistries } from "./insecure-registries.ts";
import { LayerHosts } from "./layer-hosts.ts";
import { LayerUrls } from "./layer-urls.ts";
import { MirroredRepository } from "./mirrored-repository.ts";
import { noProxies } from "./proxy-settings.ts";
import { RegistryDocuments } from "./registry-documents.ts";
import {
  indexEndpoint,
  mirrorEndpoint,
  type RegistryEndpoint,
  registryEndpoint,
  serverEndpoint,
} from "./registry-endpoint.ts";
import { RegistryRepository } from "./registry-repository.ts";
import { type KnownSchemes, RegistrySession } from "./registry-session.ts";
import type {
  Capability,
  Mirror,
  RegistrySettings,
  ReloadableSettings,
  ServerOptions,
} from "./registry-settings.ts";
import { RegistryUploads } from "./registry-uploads.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import { searchCatalog, searchIndex } from "./search-registry.ts";
import { TokenCache } from "./token-cache.ts";
import { Transport } from "./transport.ts";

export interface RegistryClientOptions {
  readonly userAgent: string;
  readonly settings?: Partial<RegistrySettings>;
  /** Asked at each use, for what may change meanwhile; default: that of `settings`. */
  readonly current?: () => Partial<ReloadableSettings>;
  /** For a mirror, by the `host[:port]` of its URL: those of a pull are for the registry alone. */
  readonly mirrorCredentials?: (host: string) => Promise<RegistryCredentials | undefined>;
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
  private readonly current: NonNullable<RegistryClientOptions["current"]>;
  private readonly mirrorCredentials: RegistryClientOptions["mirrorCredentials"];
  private readonly hosts: HostsFiles;
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
    this.current = options.current ?? (() => settings);
    this.mirrorCredentials = options.mirrorCredentials;
    this.hosts = new HostsFiles(settings.certificatesDirectory);
    this.retry = options.retry ?? { ...defaultRetry, attempts: options.attempts ?? defaultRetry.attempts };
  }

  private get insecure(): InsecureRegistries {
    return new InsecureRegistries(this.current().insecureRegistries ?? []);
  }

  repository(reference: Reference, credentials: RegistryCredentials | undefined): RemoteRepository {
    const { domain } = reference;
    const registry = this.repositoryAt(this.endpointOf(domain), reference, credentials, this.retry);
    const mirrored = new MirroredRepository(async () => {
      const { server, own, mirrors } = await this.hosts.of(domain);
      const { mirrors: all = {} } = this.current();
      const configured = (Object.hasOwn(all, domain) ? all[domain] : undefined) ?? [];
      const sources = [...configured, ...mirrors].map(async (mirror, index) => ({
        mirror,
        repository: await this.mirrorOf(mirror, reference, index < configured.length ? undefined : domain),
      }));
      const checkRegistry = (what: Capability) => checkCapability(domain, server ?? own, what);
      return { mirrors: await Promise.all(sources), checkRegistry };
    }, registry);
    return new LayerUrls(mirrored, {
      transport: this.transport,
      hosts: () => new LayerHosts(this.current().layerUrlHosts ?? []),
      retry: this.retry,
    });
  }

  private endpointOf(domain: string): () => Promise<RegistryEndpoint> {
    return async () => {
      const { server, own } = await this.hosts.of(domain);
      return server
        ? await serverEndpoint(server, this.insecure, domain)
        : await registryEndpoint(domain, this.insecure, own);
    };
  }

  /** For a cache in front of the registry; mirrors are not asked. */
  documents(
    { domain, path }: Pick<Reference, "domain" | "path">,
    credentials: RegistryCredentials | undefined,
  ): RegistryDocuments {
    const session = this.session(this.endpointOf(domain), credentials, `repository:${path}:pull`, false);
    return new RegistryDocuments(session, this.retry);
  }

  /** The registry's credentials are for it alone, and where a mirror fails the registry is there: it is tried once. */
  private async mirrorOf(
    mirror: Mirror,
    reference: Reference,
    domain: string | undefined,
  ): Promise<RegistryRepository> {
    const endpoint = () => mirrorEndpoint(mirror, this.insecure, domain);
    const credentials = await this.mirrorCredentials?.(new URL(mirror.url).host);
    return this.repositoryAt(endpoint, reference, credentials, { ...this.retry, attempts: 1 });
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
    let session: Promise<RegistrySession> | undefined;
    return new RegistryUploads(
      {
        send: async (request) => {
          session ??= this.uploadSession(reference.domain, credentials, scope);
          return await (await session).send(request);
        },
      },
      reference,
      this.retry,
      () => new HostList(this.current().nondistributableRegistries ?? []).has(reference.domain),
    );
  }

  /**
   * A push goes to the first host of the registry's `hosts.toml` that may take it, else to the registry. A host that is not
   * the registry gets the engine's own credentials, as a mirror does.
   */
  private async uploadSession(
    domain: string,
    credentials: RegistryCredentials | undefined,
    scope: string,
  ): Promise<RegistrySession> {
    const { server, own, mirrors } = await this.hosts.of(domain);
    const host = mirrors.find(({ capabilities }) => capabilities.includes("push"));
    if (host !== undefined) {
      const ownCredentials = await this.mirrorCredentials?.(new URL(host.url).host);
      return this.session(() => serverEndpoint(host, this.insecure, domain), ownCredentials, scope, true);
    }
    checkCapability(domain, server ?? own, "push");
    return this.session(this.endpointOf(domain), credentials, scope, true);
  }

  async login(
    domain: string,
    credentials: RegistryCredentials,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const authorizer = new Authorizer(this.transport, this.tokens, credentials, "", false, true);
    const session = new RegistrySession(this.endpointOf(domain), this.transport, authorizer, this.schemes);
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
      const catalog = this.session(this.endpointOf(domain), credentials, "registry:catalog:*", false);
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

/** Errors: InvalidParameter where `hosts.toml` does not let the registry itself be asked. */
function checkCapability(domain: string, server: ServerOptions | undefined, what: Capability): void {
  if (server === undefined || server.capabilities.includes(what)) return;
  throw invalidParameter(`hosts.toml of ${domain}: the server is not for ${what}`, {
    code: "registry.capability",
    hint: `add ${JSON.stringify(what)} to its capabilities, or to those of a host`,
  });
}
