import { readdirSync } from "node:fs";
import { version } from "../engine/system/version.ts";
import { invalidParameter, messageOf, systemError } from "../errors/platform-error.ts";
import type { Log } from "../log/log.ts";
import { takeProxyVariables } from "../registry/client/proxy-settings.ts";
import { RegistryClient } from "../registry/client/registry-client.ts";
import { PullThroughCache } from "../registry/server/cache/pull-through-cache.ts";
import { RegistryUpstream } from "../registry/server/cache/upstream.ts";
import type { Registry } from "../registry/server/registry.ts";
import { readText } from "./read-text.ts";
import type { RegistryProxyOptions } from "./registry-proxy-options.ts";

/** A client waits meanwhile, and what is kept may be good enough. */
const responseTimeoutMs = 10_000;
const attempts = 3;

/** The cache that fills the registry. Errors: InvalidParameter, System for a password that cannot be had. */
export function composeRegistryCache(
  registry: Registry,
  options: RegistryProxyOptions,
  log: Log,
): PullThroughCache {
  const { domain, username, certificatesDirectory } = options;
  if (certificatesDirectory !== undefined) checkDirectory(certificatesDirectory);
  const client = new RegistryClient({
    userAgent: `gantry/${version}`,
    responseTimeoutMs,
    attempts,
    settings: {
      insecureRegistries: options.isPlain ? [domain] : [],
      certificatesDirectory,
      proxies: takeProxyVariables(process.env),
    },
  });
  const credentials = username === undefined ? undefined : { username, password: passwordOf(options) };
  const { content, repositories } = registry;
  return new PullThroughCache({
    upstream: new RegistryUpstream(client, domain, credentials),
    content,
    repositories,
    log,
  });
}

/** One that is given by name has to be there; what is in it is looked up with each connection. */
function checkDirectory(path: string): void {
  try {
    readdirSync(path);
  } catch (cause) {
    throw systemError(`--proxy-certs-dir ${path}: ${messageOf(cause)}`, { cause });
  }
}

function passwordOf({ passwordFile, username }: RegistryProxyOptions): string {
  if (passwordFile !== undefined) return readText(passwordFile).replace(/\r?\n$/, "");
  const password = process.env.GANTRY_PROXY_PASSWORD;
  if (password !== undefined) return password;
  throw invalidParameter(`--proxy-username ${username}: no password`, {
    hint: "give --proxy-password-file, or GANTRY_PROXY_PASSWORD in the environment",
  });
}
