import { type Client, findCredentials, registryKey } from "../stored-credentials.ts";

/**
 * The `X-Registry-Auth` header for the registry of a domain, from what a login stored, of other tools too.
 * Undefined: none stored; the request is anonymous. Errors: CommandError for a credential helper that fails.
 */
export function registryAuth(domain: string, client: Client): string | undefined {
  const credentials = findCredentials(client, registryKey(domain));
  return credentials === undefined ? undefined : encoded(credentials);
}

/** The header `X-Registry-Config` with what is stored for several registries; none where nothing is. */
export function registryConfigHeaders(domains: readonly string[], client: Client): Record<string, string> {
  const stored = [...new Set(domains)].flatMap((domain) => {
    const credentials = findCredentials(client, registryKey(domain));
    return credentials === undefined ? [] : [[domain, credentials] as const];
  });
  return stored.length === 0 ? {} : { "X-Registry-Config": encoded(Object.fromEntries(stored)) };
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
