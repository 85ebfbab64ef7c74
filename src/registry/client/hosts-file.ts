import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { invalidParameter, messageOf, PlatformError, systemError } from "../../errors/platform-error.ts";
import { parseDurationNs } from "../../formats/duration.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import { parseMirror } from "./parse-mirror.ts";
import type { Capability, Mirror, ServerOptions, TlsFiles } from "./registry-settings.ts";

/** What containerd's `hosts.toml` says of one registry. */
export interface RegistryHosts {
  /** In the registry's own place; undefined: the host of its references. */
  readonly server?: Mirror;
  /** Of the host of its references, where the file has no other. */
  readonly own?: ServerOptions;
  /** In the order of the file. */
  readonly mirrors: readonly Mirror[];
}

const none: RegistryHosts = { mirrors: [] };

/** Read anew for each use, as the certificates beside them. */
export class HostsFiles {
  constructor(private readonly directory: string | undefined) {}

  /**
   * `DIRECTORY/DOMAIN/hosts.toml` (of `HOST:PORT` also `HOST_PORT_`, before it), else `DIRECTORY/_default/hosts.toml`.
   * `domain`: as it stands in references.
   * Errors: InvalidParameter naming the file and what is wrong in it.
   */
  async of(domain: string): Promise<RegistryHosts> {
    if (this.directory === undefined) return none;
    for (const name of [domain.replace(/:(\d+)$/, "_$1_"), domain, "_default"]) {
      const path = join(this.directory, name, "hosts.toml");
      const text = await readFile(path, "utf8").catch(absent);
      if (text !== undefined) return parseHostsFile(path, text);
    }
    return none;
  }
}

function absent(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw systemError(messageOf(error), { code: "registry.hosts-file", cause: error });
}

const hostKeys = ["capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout"];

/**
 * Parses a `hosts.toml`; paths in it are relative to its directory.
 * Spec: containerd, "Registry Configuration". Errors: InvalidParameter; a key that is not known is refused.
 */
export function parseHostsFile(path: string, text: string): RegistryHosts {
  const fields = JsonFields.parse(path, JSON.stringify(parseToml(path, text)));
  fields.refuseOthers(["server", "host", ...hostKeys]);
  const hosts = fields.object("host");
  const mirrors = (hosts?.keys() ?? []).map((url) => {
    const host = hosts?.requiredObject(url);
    if (host === undefined) throw fields.problem("host", "is not a table");
    host.refuseOthers(hostKeys);
    return serverOf(path, url, host);
  });
  const server = fields.string("server");
  if (server !== undefined) return { server: serverOf(path, server, fields, everything), mirrors };
  if (!hostKeys.some((key) => fields.has(key))) return { mirrors };
  if (fields.has("override_path")) {
    throw fields.problem("override_path", "says something of the server's URL, which is not there");
  }
  const { url: _, apiRoot: __, ...own } = serverOf(path, "https://own.invalid", fields, everything);
  return { own, mirrors };
}

function parseToml(path: string, text: string): object {
  try {
    return Bun.TOML.parse(text);
  } catch (error) {
    throw invalidParameter(`${path}: ${messageOf(error)}`, { code: "registry.hosts-file", cause: error });
  }
}

const everything: readonly Capability[] = ["pull", "resolve", "push", "referrers"];

/** `byDefault`: its capabilities where the file names none. */
function serverOf(path: string, name: string, fields: JsonFields, byDefault?: readonly Capability[]): Mirror {
  const url = /^https?:\/\//.test(name) ? name : `https://${name}`;
  const directory = dirname(path);
  try {
    const named = (fields.strings("capabilities") ?? []).map((capability) => capability.toLowerCase());
    const configured = {
      url,
      capabilities: named.length > 0 ? named : byDefault,
      overridePath: (fields.boolean("override_path") ?? false) || /\/v2\/?$/.test(url),
      skipVerify: fields.boolean("skip_verify"),
    };
    return {
      ...parseMirror(configured, everything),
      files: filesOf(directory, fields),
      headers: headersOf(fields),
      connectTimeoutMs: dialTimeout(fields),
    };
  } catch (error) {
    if (!(error instanceof PlatformError) || error.message.startsWith(path)) throw error;
    throw invalidParameter(`${path}: ${error.message}`, { code: "registry.hosts-file", hint: error.hint });
  }
}

/** `ca`: a path or several. `client`: a file with both, or a pair, or a list of one such. */
function filesOf(directory: string, fields: JsonFields): TlsFiles | undefined {
  const at = (path: string) => resolve(directory, path);
  const ca = oneOrMore(fields, "ca").map(at);
  const client = fields.value("client");
  if (client === undefined) return ca.length > 0 ? { ca } : undefined;
  const [first, ...more] = Array.isArray(client) ? client : [client];
  const [cert, key = cert, ...others] = Array.isArray(first) ? first : [first];
  if (typeof cert !== "string" || typeof key !== "string" || more.length + others.length > 0) {
    throw fields.problem("client", "is not one certificate with its key");
  }
  return { ca, client: { cert: at(cert), key: at(key) } };
}

/** `10s`, `1m30s`. */
function dialTimeout(fields: JsonFields): number | undefined {
  const text = fields.string("dial_timeout");
  if (text === undefined) return undefined;
  const ns = parseDurationNs(text);
  if (ns === undefined || ns <= 0) throw fields.problem("dial_timeout", "is no length of time such as 5s");
  return Math.ceil(ns / 1e6);
}

function headersOf(fields: JsonFields): Record<string, string> | undefined {
  const header = fields.object("header");
  return (
    header && Object.fromEntries(header.keys().map((name) => [name, oneOrMore(header, name).join(", ")]))
  );
}

function oneOrMore(fields: JsonFields, key: string): readonly string[] {
  const value = fields.value(key);
  if (typeof value === "string") return [value];
  return fields.strings(key) ?? [];
}
