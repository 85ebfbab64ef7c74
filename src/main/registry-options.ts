import { isIP, isIPv4 } from "node:net";
import { parseArgs } from "node:util";
import { invalidParameter, messageOf } from "../errors/platform-error.ts";
import type { LogLevel } from "../log/log.ts";
import type { CollectionRequest } from "../registry/server/gc/collector.ts";
import { parseRegistryAuth, type RegistryAuthOptions, registryAuthFlags } from "./registry-auth-options.ts";
import { durationMs, parseCollection, registryDirectory } from "./registry-gc-options.ts";
import {
  parseRegistryProxy,
  type RegistryProxyOptions,
  registryProxyFlags,
} from "./registry-proxy-options.ts";

/** How `gantry registry serve` was called. */
export interface RegistryOptions {
  /** An IP address or `localhost`; undefined: every address of the machine. */
  readonly host: string | undefined;
  /** 0: a free one, which the log names. */
  readonly port: number;
  /** Absolute. */
  readonly root: string;
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly auth: RegistryAuthOptions;
  readonly readOnly: boolean;
  readonly collection: CollectionRequest;
  readonly proxy: RegistryProxyOptions | undefined;
  /** Between two collections; undefined: only when somebody asks for one. */
  readonly collectionIntervalMs: number | undefined;
  /** Content and passwords may be read by everybody on the way. */
  readonly exposed: boolean;
  readonly logLevel: LogLevel;
}

export const registryHelp = `Usage:  gantry registry serve --root DIR [OPTIONS]

Serve a registry: images by the OCI distribution specification, for every tool that pulls and pushes

Options:
      --addr HOST:PORT             Address to listen on (default "127.0.0.1:5000")
      --root DIR                   Directory of the content; made if it is missing
      --tls-cert FILE              Certificate (chain) in PEM form
      --tls-key FILE               Its key in PEM form
      --htpasswd FILE              Users with bcrypt hashes, as \`htpasswd -B\` writes them (default: no login)
      --access-list FILE           Lines of USER PATTERN ACTIONS: who may pull, push and delete (default: every user everything)
      --auth-token                 Give the users of --htpasswd tokens at /token, and take those instead of passwords
      --auth-token-realm URL       Where clients get tokens (default: /token, by the address by which they came)
      --auth-token-service NAME    What the registry is called there
      --auth-token-issuer NAME     Who signs the tokens
      --auth-token-jwks FILE       Take the tokens of another server, by its public keys
      --auth-token-root-cert FILE  Take the tokens of another server, by its certificates
      --read-only                  Refuse every push and delete
      --proxy URL                  Cache the registry at URL: fetch from it what is asked for, and refuse pushes
      --proxy-username NAME        Log in there; the password is in GANTRY_PROXY_PASSWORD of the environment, or
      --proxy-password-file FILE   in this file
      --proxy-certs-dir DIR        HOST[:PORT]/ca.crt, client.cert and client.key below it are for the upstream
      --proxy-ttl DURATION         Remove what nobody has asked for in so long (default 168h)
      --gc-interval DURATION       Remove what no manifest needs so often (default: when \`gantry registry gc\` asks for it)
      --gc-grace DURATION          Leave alone what was pushed or looked at so recently (default 1h)
      --gc-upload-age DURATION     Throw away uploads that rest for so long, also without --gc-interval (default 168h)
      --gc-untagged                Remove manifests without a tag, too, unless an index or a subject keeps them
      --insecure                   Without TLS serve other machines, too: they send passwords and content in the clear
  -l, --log-level LEVEL            debug, info, warn or error (default "info")
      --help                       Print this text
`;

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

const minIntervalMs = 1000;
const cacheIntervalMs = 3600_000;

/** Undefined when help was asked for. Errors: InvalidParameter naming the option. */
export function parseRegistryOptions(argv: readonly string[]): RegistryOptions | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  const logLevel = levels.find((level) => level === (values["log-level"] ?? "info"));
  if (!logLevel)
    throw invalidParameter(`--log-level ${values["log-level"]}: not one of ${levels.join(", ")}`);
  const { host, port } = parseAddress(values.addr ?? "127.0.0.1:5000");
  const proxy = parseRegistryProxy(values);
  const collection = parseCollection("gc-", {
    grace: values["gc-grace"],
    "upload-age": values["gc-upload-age"],
    untagged: values["gc-untagged"],
  });
  const collectionIntervalMs = interval(values["gc-interval"]) ?? (proxy && cacheIntervalMs);
  refuseUseless(values, { isCollected: collectionIntervalMs !== undefined, isCache: proxy !== undefined });
  const tls = parseTls(values["tls-cert"], values["tls-key"]);
  const exposed = tls === undefined && !isLoopback(host);
  if (exposed && !values.insecure) {
    throw invalidParameter(`--addr ${values.addr}: without TLS only this machine is served`, {
      hint: "give --tls-cert and --tls-key, or a loopback address; --insecure serves others in the clear",
    });
  }
  return {
    host,
    port,
    root: registryDirectory(values.root),
    tls,
    auth: parseRegistryAuth(values),
    // A cache has nothing of its own: its content is its upstream's.
    readOnly: proxy !== undefined || (values["read-only"] ?? false),
    proxy,
    collection: proxy ? { ...collection, what: "unused", graceMs: proxy.ttlMs } : collection,
    collectionIntervalMs,
    exposed,
    logLevel,
  };
}

function parse(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        addr: { type: "string" },
        root: { type: "string" },
        "tls-cert": { type: "string" },
        "tls-key": { type: "string" },
        ...registryAuthFlags,
        "read-only": { type: "boolean" },
        insecure: { type: "boolean" },
        "log-level": { type: "string", short: "l" },
        help: { type: "boolean" },
        ...registryProxyFlags,
        "gc-interval": { type: "string" },
        "gc-grace": { type: "string" },
        "gc-upload-age": { type: "string" },
        "gc-untagged": { type: "boolean" },
      },
    });
    return values;
  } catch (error) {
    throw invalidParameter(messageOf(error), { hint: "see `gantry registry serve --help`" });
  }
}

function parseAddress(text: string): { host: string | undefined; port: number } {
  const [, bracketed, plain, digits = ""] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const known = host === "" || host === "localhost" || isIP(host ?? "x") !== 0;
  if (host === undefined || digits === "" || port > 65535 || !known)
    throw invalidParameter(`--addr ${text}: expected an IP address and a port, such as 127.0.0.1:5000`);
  return { host: host === "" ? undefined : host, port };
}

const isLoopback = (host: string | undefined): boolean =>
  host === "localhost" || host === "::1" || (host !== undefined && isIPv4(host) && host.startsWith("127."));

function parseTls(cert: string | undefined, key: string | undefined) {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw invalidParameter("--tls-cert and --tls-key belong together: one of them is missing");
  return { cert, key };
}

/** Errors: InvalidParameter for an option of collections that would change nothing. */
function refuseUseless(
  values: Readonly<Record<string, unknown>>,
  { isCollected, isCache }: { readonly isCollected: boolean; readonly isCache: boolean },
): void {
  const given = (flags: readonly string[]) => flags.find((flag) => values[flag] !== undefined);
  const idle = isCollected ? undefined : given(["gc-grace", "gc-untagged"]);
  if (idle !== undefined) {
    throw invalidParameter(`--${idle} without --gc-interval: nothing is collected by itself`, {
      hint: "give --gc-interval, or the same option to `gantry registry gc`",
    });
  }
  const foreign = isCache ? given(["gc-grace", "gc-untagged"]) : undefined;
  if (foreign !== undefined)
    throw invalidParameter(`--${foreign} with --proxy: how long a cache keeps things is said by --proxy-ttl`);
}

function interval(text: string | undefined): number | undefined {
  const ms = durationMs("gc-interval", text);
  if (ms === undefined || ms >= minIntervalMs) return ms;
  throw invalidParameter(`--gc-interval ${text}: shorter than a second`);
}
