import type { RegistryCredentials } from "../../core/transfer/contract.ts";

const names = ["username", "password", "identitytoken", "registrytoken", "serveraddress"] as const;

/** base64url of JSON; what cannot be decoded counts as anonymous, as Docker does it. engine-api, section 7. */
export function parseCredentials(header: string | string[] | undefined): RegistryCredentials | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (!text) return undefined;
  try {
    const given = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Record<string, unknown>;
    const credentials = pickCredentials(given);
    return Object.keys(credentials).length > 0 ? credentials : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `X-Registry-Config`: an object of AuthConfigs by domain, in base64url. What cannot be decoded counts as anonymous.
 * engine-api, section 7.
 */
export function parseRegistryConfig(
  header: string | string[] | undefined,
): (domain: string) => RegistryCredentials | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (!text) return () => undefined;
  try {
    const given = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Record<string, object>;
    const configured = new Map(
      Object.entries(given).map(([domain, auth]) => [registryDomain(domain), pickCredentials({ ...auth })]),
    );
    return (domain) => configured.get(domain);
  } catch {
    return () => undefined;
  }
}

/** The fields of Docker's AuthConfig that say something. */
export function pickCredentials(given: Readonly<Record<string, unknown>>): RegistryCredentials {
  const fields = names.flatMap((name) => {
    const value = given[name];
    return typeof value === "string" && value !== "" ? [[name, value] as const] : [];
  });
  return Object.fromEntries(fields);
}

/** The domain of references that an AuthConfig's `serveraddress` stands for: a URL, a host, or nothing. */
export function registryDomain(serverAddress: string | undefined): string {
  const host = (serverAddress ?? "").replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === "" || host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host;
}
