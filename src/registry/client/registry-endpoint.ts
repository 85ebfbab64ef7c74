import type { InsecureRegistries } from "./insecure-registries.ts";
import type { Mirror, ServerOptions, TlsFiles } from "./registry-settings.ts";

/** What is trusted on the way to a server. */
export interface Trust {
  /** False where plain HTTP and any certificate will do. */
  readonly verifyTls: boolean;
  /** `host[:port]` whose CA certificates count also for the token server and the storage that it names. */
  readonly host: string;
  /** Further certificates for it; its client certificate is shown to it alone. */
  readonly files?: TlsFiles | undefined;
  /** No client certificate is shown, also where there is one for the host: somebody else chose whom to ask. */
  readonly isAnonymous?: boolean;
}

/** Where the API of a registry or of a mirror is. */
export interface RegistryEndpoint {
  /** `host[:port]` of the URLs. */
  readonly host: string;
  /** What its paths begin with: `/v2/`. */
  readonly rootPath: string;
  /** In the order in which they are tried. */
  readonly schemes: readonly ("https" | "http")[];
  readonly trust: Trust;
  /** The registry's domain, for a host that may stand for several: it is told as `ns`, as containerd does. */
  readonly namespace?: string | undefined;
  /** Sent with each request to its host, and to no other. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long it may take until its headers arrive; undefined: as long as any server. */
  readonly responseTimeoutMs?: number;
  /** How long a connection may take to come about; undefined: as long as it takes. */
  readonly connectTimeoutMs?: number | undefined;
}

/** A mirror that is slower than this saves no time. */
const mirrorTimeoutMs = 10_000;

/** Registries whose API has another host than their references. */
const apiHosts = new Map([["docker.io", "registry-1.docker.io"]]);

/**
 * The registry of references with a domain. Plain HTTP is only for those that are configured so. `own`: what else is
 * known of it.
 */
export async function registryEndpoint(
  domain: string,
  insecure: InsecureRegistries,
  own?: ServerOptions,
): Promise<RegistryEndpoint> {
  const host = apiHosts.get(domain) ?? domain;
  const isInsecure = await insecure.has(host);
  return {
    host,
    rootPath: "/v2/",
    schemes: isInsecure ? ["https", "http"] : ["https"],
    trust: { verifyTls: !isInsecure && !own?.skipVerify, host, files: own?.files },
    headers: own?.headers,
    connectTimeoutMs: own?.connectTimeoutMs,
  };
}

/** The index of a registry, for searches: Docker's API before registries had one of their own. */
export async function indexEndpoint(domain: string, insecure: InsecureRegistries): Promise<RegistryEndpoint> {
  const host = domain === "docker.io" ? "index.docker.io" : domain;
  return { ...(await registryEndpoint(host, insecure)), rootPath: "/v1/" };
}

/** A mirror has the scheme that its URL says. */
export async function mirrorEndpoint(
  mirror: Mirror,
  insecure: InsecureRegistries,
  domain?: string,
): Promise<RegistryEndpoint> {
  return { ...(await serverEndpoint(mirror, insecure, domain)), responseTimeoutMs: mirrorTimeoutMs };
}

/** A server by its URL: also a registry's own, where `hosts.toml` says so; then `domain` is that of the references. */
export async function serverEndpoint(
  { apiRoot, skipVerify, files, headers, connectTimeoutMs }: Mirror,
  insecure: InsecureRegistries,
  domain?: string,
): Promise<RegistryEndpoint> {
  const { host, pathname, protocol } = new URL(apiRoot);
  const isPlain = protocol === "http:";
  return {
    host,
    rootPath: pathname,
    schemes: [isPlain ? "http" : "https"],
    trust: { verifyTls: !isPlain && !skipVerify && !(await insecure.has(host)), host, files },
    headers,
    connectTimeoutMs,
    namespace: domain === undefined || host === (apiHosts.get(domain) ?? domain) ? undefined : domain,
  };
}
