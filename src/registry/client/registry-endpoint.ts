import type { InsecureRegistries } from "./insecure-registries.ts";
import type { Mirror } from "./registry-settings.ts";

/** What is trusted on the way to a server. */
export interface Trust {
  /** False where plain HTTP and any certificate will do. */
  readonly verifyTls: boolean;
  /** `host[:port]` whose CA certificates count also for the token server and the storage that it names. */
  readonly host: string;
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
  /** How long it may take until its headers arrive; undefined: as long as any server. */
  readonly responseTimeoutMs?: number;
}

/** A mirror that is slower than this saves no time. */
const mirrorTimeoutMs = 10_000;

/** Registries whose API has another host than their references. */
const apiHosts: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/** The registry of references with a domain. Plain HTTP is only for those that are configured so. */
export async function registryEndpoint(
  domain: string,
  insecure: InsecureRegistries,
): Promise<RegistryEndpoint> {
  const host = apiHosts[domain] ?? domain;
  const isInsecure = await insecure.has(host);
  return {
    host,
    rootPath: "/v2/",
    schemes: isInsecure ? ["https", "http"] : ["https"],
    trust: { verifyTls: !isInsecure, host },
  };
}

/** The index of a registry, for searches: Docker's API before registries had one of their own. */
export async function indexEndpoint(domain: string, insecure: InsecureRegistries): Promise<RegistryEndpoint> {
  const host = domain === "docker.io" ? "index.docker.io" : domain;
  return { ...(await registryEndpoint(host, insecure)), rootPath: "/v1/" };
}

/** A mirror has the scheme that its URL says. */
export async function mirrorEndpoint(
  { apiRoot, skipVerify }: Mirror,
  insecure: InsecureRegistries,
): Promise<RegistryEndpoint> {
  const { host, pathname, protocol } = new URL(apiRoot);
  const isPlain = protocol === "http:";
  return {
    host,
    rootPath: pathname,
    schemes: [isPlain ? "http" : "https"],
    trust: { verifyTls: !isPlain && !skipVerify && !(await insecure.has(host)), host },
    responseTimeoutMs: mirrorTimeoutMs,
  };
}
