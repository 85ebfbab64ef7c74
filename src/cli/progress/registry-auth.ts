import { findCredentials, registryKey } from "../stored-credentials.ts";
import type { Environment } from "../values/environment.ts";

/**
 * The `X-Registry-Auth` header for the registry of a domain, from what a login stored, of other tools too.
 * Undefined: none stored; the request is anonymous. Errors: CommandError for a credential helper that fails.
 */
export function registryAuth(domain: string, env: Environment): string | undefined {
  const credentials = findCredentials(env, registryKey(domain));
  if (credentials === undefined) return undefined;
  const encoded = Buffer.from(JSON.stringify(credentials)).toString("base64");
  return encoded.replaceAll("+", "-").replaceAll("/", "_");
}
