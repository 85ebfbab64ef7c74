/** Where the API of a registry is, by the domain of its references. */
export interface RegistryEndpoint {
  /** `host[:port]` of the URLs. */
  readonly host: string;
  /** In the order in which they are tried. Plain HTTP is only for loopback and for registries configured so. */
  readonly schemes: readonly ("https" | "http")[];
  /** False where plain HTTP is good enough as well. */
  readonly verifyTls: boolean;
}

/** Registries whose API has another host than their references. */
const apiHosts: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/** `insecure` are domains, with port if they have one, that the user configured as insecure registries. */
export function registryEndpoint(domain: string, insecure: ReadonlySet<string>): RegistryEndpoint {
  const host = apiHosts[domain] ?? domain;
  const trusted = isLoopback(hostName(host)) || insecure.has(domain);
  return trusted
    ? { host, schemes: ["https", "http"], verifyTls: false }
    : { host, schemes: ["https"], verifyTls: true };
}

/** Without the port, and without the brackets of an IPv6 address. */
export function hostName(host: string): string {
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(host);
  return bracketed?.[1] ?? host.replace(/:\d+$/, "");
}

export function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || /^127(?:\.\d{1,3}){3}$/.test(name);
}
