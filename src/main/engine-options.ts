import { isIPv4 } from "node:net";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { parseSize } from "../cli/values/size.ts";
import type { LayerCompression } from "../core/diff/contract.ts";
import { type DriverName, parseDriverName } from "../core/snapshots/choose-driver.ts";
import type { UnpackLimits } from "../core/unpack/contract.ts";
import { invalidParameter, messageOf, notImplemented } from "../errors/platform-error.ts";
import type { LogLevel } from "../log/log.ts";
import { noProxies, type ProxySettings, parseProxy } from "../registry/client/proxy-settings.ts";
import type { RegistrySettings } from "../registry/client/registry-settings.ts";
import { type EngineConfigFile, parseEngineConfig } from "./engine-config-file.ts";
import { parseEngineRegistry } from "./engine-registry-options.ts";
import type { RegistryOptions } from "./registry-options.ts";
import { parseLayerUrlHost, parseMirrors, parseRegistryHost } from "./registry-settings.ts";

/** How `gantry engine` was called. */
export interface EngineOptions {
  /** What lasts: images, containers. Absolute, without a slash at the end. */
  readonly root: string;
  /** What lasts as long as the machine runs: sockets, namespaces. */
  readonly state: string;
  /** Paths of the sockets to listen on. */
  readonly sockets: readonly string[];
  /** The default bridge: undefined: a free name is chosen. */
  readonly bridge: string | undefined;
  /** Its subnet, whose first address it has; undefined: a free one is chosen. */
  readonly subnet: string | undefined;
  /** Of the layers that are made here: of commits, and of imported archives without compression. */
  readonly layerCompression: LayerCompression;
  /** Undefined: the one that the root was made with, else the best one. */
  readonly storageDriver: DriverName | undefined;
  /** What a layer may unpack to, where it is not the default. */
  readonly layerLimits: Partial<UnpackLimits>;
  readonly logLevel: LogLevel;
  readonly pidFile: string | undefined;
  /** Owner of the sockets beside root: a name or a number. */
  readonly group: string | undefined;
  /** How registries are reached. */
  readonly registries: RegistrySettings;
  readonly transfers: TransferLimits;
  /** The registry that the engine serves itself. */
  readonly registry: RegistryOptions | undefined;
}

export interface TransferLimits {
  readonly concurrentDownloads: number;
  readonly concurrentUploads: number;
  /** How often a download is tried before its pull fails. */
  readonly downloadAttempts: number;
}

/** What the options depend on beside the command line. */
export interface EngineSurroundings {
  /** Of the environment: options and file come before them. */
  readonly proxies: ProxySettings;
  /** Undefined when there is no such file. */
  readonly readFile: (path: string) => string | undefined;
}

export const engineHelp = `Usage:  gantry engine [OPTIONS]

Run the engine: it serves the Docker Engine API on a unix socket

Options:
      --root DIR         Directory of what lasts (default "/var/lib/gantry")
      --state DIR        Directory of sockets and namespaces (default "/run/gantry")
  -H, --host URL         Socket to listen on; repeatable (default "unix:///run/gantry/gantry.sock")
  -G, --group GROUP      Group that may use the socket (default: root alone)
  -s, --storage-driver NAME
                         overlay2, vfs or erofs (default: overlay2 where it works)
      --bridge NAME      Bridge of the default network (default: gantry0, or a free name)
      --bip CIDR         Address of the bridge (default: a free private subnet)
      --layer-compression KIND
                         gzip or zstd, for layers of commit and import (default "gzip")
      --max-layer-size SIZE
                         What a layer may unpack to at most (default 256g)
      --max-layer-ratio N
                         How many times its size, above 1g (default 200): against archives that are bombs
  -l, --log-level LEVEL  debug, info, warn or error (default "info")
  -p, --pid-file FILE    Write the process id into FILE
      --config-file FILE Settings in JSON, spelled as in Docker's daemon.json; certs.d beside it has certificates
                         of registries (default "/etc/gantry/engine.json")
      --help             Print this text

Registries:
      --registry-mirror [HOST=]URL   Mirror of Docker Hub, or of the registry HOST; repeatable
      --insecure-registry HOST|CIDR  Registry without TLS, or with any certificate; repeatable
      --allow-nondistributable-artifacts HOST|CIDR
                                     Registry that is sent foreign layers too; repeatable
      --layer-url-host [http://]HOST|CIDR
                                     Where the urls of layers may lead beside https to the public internet; repeatable
      --http-proxy URL               Proxy for registries without TLS (default: HTTP_PROXY of the environment)
      --https-proxy URL              Proxy for registries with TLS (default: HTTPS_PROXY)
      --no-proxy LIST                Hosts, domains and ranges that are reached directly (default: NO_PROXY)
      --registry HOST:PORT           Serve a registry of this engine's content, which keeps each blob once for both
      --registry-opt NAME[=VALUE]    Option of \`gantry registry serve\` for it, such as htpasswd=FILE; repeatable
      --max-concurrent-downloads N   Layers that are downloaded at the same time (default 3)
      --max-concurrent-uploads N     Layers that are uploaded at the same time (default 5)
      --max-download-attempts N      How often a download is tried (default 5)
`;

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

const defaultConfigFile = "/etc/gantry/engine.json";

/** Undefined when help was asked for. Errors: InvalidParameter naming the option; NotImplemented for tcp. */
export function parseEngineOptions(
  argv: readonly string[],
  surroundings: EngineSurroundings = { proxies: noProxies, readFile: () => undefined },
): EngineOptions | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  const root = directory("--root", values.root ?? "/var/lib/gantry");
  const state = directory("--state", values.state ?? "/run/gantry");
  const storageDriver = values["storage-driver"];
  const logLevel = levels.find((level) => level === (values["log-level"] ?? "info"));
  if (!logLevel)
    throw invalidParameter(`--log-level ${values["log-level"]}: not one of ${levels.join(", ")}`);
  const config = readConfigFile(values["config-file"], surroundings);
  return {
    root,
    state,
    sockets: (values.host ?? [`unix://${state}/gantry.sock`]).map(socketPath),
    bridge: values.bridge === undefined ? undefined : bridgeName(values.bridge),
    subnet: values.bip === undefined ? undefined : bridgeSubnet(values.bip),
    layerCompression: layerCompression(values["layer-compression"] ?? "gzip"),
    storageDriver: storageDriver === undefined ? undefined : parseDriverName(storageDriver),
    logLevel,
    pidFile: values["pid-file"],
    group: values.group,
    registry: engineRegistry(root, values, config),
    ...parseTransfers(values, surroundings, config),
  };
}

interface ConfigFile {
  readonly path: string;
  readonly file: EngineConfigFile;
}

function readConfigFile(given: string | undefined, { readFile }: EngineSurroundings): ConfigFile {
  const path = given ?? defaultConfigFile;
  const text = readFile(path);
  if (text === undefined && given !== undefined) {
    throw invalidParameter(`--config-file ${path}: no such file or directory`);
  }
  return { path, file: text === undefined ? { mirrors: {} } : parseEngineConfig(path, text) };
}

const specifiedTwice = (flag: string, path: string) =>
  invalidParameter(`--${flag} is specified both as a flag and in the configuration file ${path}`);

function engineRegistry(
  root: string,
  values: ReturnType<typeof parse>,
  { path, file }: ConfigFile,
): RegistryOptions | undefined {
  const [address, settings] = [values.registry, values["registry-opt"] ?? []];
  if (file.registry === undefined) return parseEngineRegistry(root, address, settings);
  if (address !== undefined || settings.length > 0) throw specifiedTwice("registry", path);
  return parseEngineRegistry(root, file.registry.address, file.registry.settings, "file");
}

type ListFlag =
  | "registry-mirror"
  | "insecure-registry"
  | "allow-nondistributable-artifacts"
  | "layer-url-host";

function parseTransfers(
  values: ReturnType<typeof parse>,
  { proxies }: EngineSurroundings,
  { path, file }: ConfigFile,
): Pick<EngineOptions, "registries" | "transfers" | "layerLimits"> {
  const one = <T>(flag: keyof typeof values, inFile: T | undefined): string | T | undefined => {
    const given = values[flag];
    if (given !== undefined && inFile !== undefined) throw specifiedTwice(flag, path);
    return typeof given === "string" ? given : inFile;
  };
  const list = (flag: ListFlag, inFile: readonly string[] | undefined) =>
    one(flag, inFile) === undefined ? (values[flag] ?? []) : (inFile ?? []);
  const proxy = (flag: "http-proxy" | "https-proxy", inFile: string | undefined, fallback: string) => {
    const url = one(flag, inFile) ?? fallback;
    if (url !== "") parseProxy(url);
    return url;
  };
  return {
    registries: {
      mirrors: parseMirrors(list("registry-mirror", file.registryMirrors), file.mirrors),
      insecureRegistries: list("insecure-registry", file.insecureRegistries).map((entry) =>
        parseRegistryHost("insecure registry", entry),
      ),
      nondistributableRegistries: list(
        "allow-nondistributable-artifacts",
        file.nondistributableRegistries,
      ).map((entry) => parseRegistryHost("allow-nondistributable-artifacts", entry)),
      layerUrlHosts: list("layer-url-host", file.layerUrlHosts).map(parseLayerUrlHost),
      certificatesDirectory: join(dirname(path), "certs.d"),
      mirrorLogins: join(dirname(path), "config.json"),
      proxies: {
        httpProxy: proxy("http-proxy", file.httpProxy, proxies.httpProxy),
        httpsProxy: proxy("https-proxy", file.httpsProxy, proxies.httpsProxy),
        noProxy: one("no-proxy", file.noProxy) ?? proxies.noProxy,
      },
    },
    layerLimits: {
      ...maybe("unpackedBytes", one("max-layer-size", file.maxLayerSize), layerSize),
      ...maybe("ratio", one("max-layer-ratio", file.maxLayerRatio), layerRatio),
    },
    transfers: {
      concurrentDownloads: limit(
        "downloads",
        one("max-concurrent-downloads", file.maxConcurrentDownloads),
        3,
      ),
      concurrentUploads: limit("uploads", one("max-concurrent-uploads", file.maxConcurrentUploads), 5),
      downloadAttempts: attempts(one("max-download-attempts", file.maxDownloadAttempts) ?? 5),
    },
  };
}

function maybe<K extends string>(
  name: K,
  value: string | number | undefined,
  parse: (value: string | number) => number,
): Partial<Record<K, number>> {
  return value === undefined ? {} : ({ [name]: parse(value) } as Record<K, number>);
}

function layerSize(value: string | number): number {
  try {
    return parseSize(String(value));
  } catch (error) {
    throw invalidParameter(`max-layer-size: ${messageOf(error)}`);
  }
}

function layerRatio(value: string | number): number {
  const ratio = Number(value);
  if (Number.isSafeInteger(ratio) && ratio > 0) return ratio;
  throw invalidParameter(`invalid max-layer-ratio: ${value}`);
}

/** 0 is the default, as for dockerd. */
function limit(what: string, value: string | number | undefined, otherwise: number): number {
  const number = Number(value ?? 0);
  if (!Number.isSafeInteger(number) || number < 0)
    throw invalidParameter(`invalid max concurrent ${what}: ${value}`);
  return number || otherwise;
}

function attempts(value: string | number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw invalidParameter(`invalid max download attempts: ${value}`);
  return number;
}

function parse(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        root: { type: "string" },
        state: { type: "string" },
        host: { type: "string", short: "H", multiple: true },
        group: { type: "string", short: "G" },
        "storage-driver": { type: "string", short: "s" },
        bridge: { type: "string" },
        bip: { type: "string" },
        "layer-compression": { type: "string" },
        "max-layer-size": { type: "string" },
        "max-layer-ratio": { type: "string" },
        "log-level": { type: "string", short: "l" },
        "pid-file": { type: "string", short: "p" },
        "config-file": { type: "string" },
        registry: { type: "string" },
        "registry-opt": { type: "string", multiple: true },
        "registry-mirror": { type: "string", multiple: true },
        "insecure-registry": { type: "string", multiple: true },
        "allow-nondistributable-artifacts": { type: "string", multiple: true },
        "layer-url-host": { type: "string", multiple: true },
        "http-proxy": { type: "string" },
        "https-proxy": { type: "string" },
        "no-proxy": { type: "string" },
        "max-concurrent-downloads": { type: "string" },
        "max-concurrent-uploads": { type: "string" },
        "max-download-attempts": { type: "string" },
        help: { type: "boolean" },
      },
    });
    return values;
  } catch (error) {
    throw invalidParameter(messageOf(error), { hint: "see `gantry engine --help`" });
  }
}

function layerCompression(text: string): LayerCompression {
  if (text === "gzip" || text === "zstd") return text;
  throw invalidParameter(`--layer-compression ${text}: not one of gzip, zstd`);
}

function directory(flag: string, path: string): string {
  if (!path.startsWith("/") || path === "/")
    throw invalidParameter(`${flag} ${path}: not an absolute directory`);
  return path.replace(/\/+$/, "");
}

/** Length of sun_path without its NUL (unix(7)). */
const longestSocketPath = 107;

function socketPath(url: string): string {
  if (/^(tcp|https?):/.test(url)) {
    throw notImplemented(`--host ${url}: listening on TCP is not built yet`, {
      hint: "it will need TLS client certificates: whoever reaches the engine is root on this machine",
    });
  }
  const path = /^unix:\/\/(\/.+)$/.exec(url)?.[1];
  if (path === undefined) throw invalidParameter(`--host ${url}: expected unix:///path/to/socket`);
  if (Buffer.byteLength(path) > longestSocketPath) {
    throw invalidParameter(
      `--host ${url}: longer than the ${longestSocketPath} bytes that a socket's path may have`,
    );
  }
  return path;
}

/** IFNAMSIZ less its NUL (netdevice(7)). */
function bridgeName(name: string): string {
  if (/^[^\s/:]{1,15}$/.test(name) && name !== "." && name !== "..") return name;
  throw invalidParameter(`--bridge ${name}: not a name of a network interface (1 to 15 characters)`);
}

/** `10.1.2.1/24` is the bridge with the first address of 10.1.2.0/24. */
function bridgeSubnet(text: string): string {
  const [address = "", length = ""] = text.split("/");
  const bits = Number(length);
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length) || bits < 8 || bits > 30) {
    throw invalidParameter(`--bip ${text}: expected an IPv4 address and a prefix length from 8 to 30`);
  }
  const number = address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
  const size = 2 ** (32 - bits);
  const network = Math.floor(number / size) * size;
  if (number !== network + 1) {
    throw notImplemented(
      `--bip ${text}: the bridge always has the first address of its subnet, ${dotted(network + 1)}`,
    );
  }
  return `${dotted(network)}/${bits}`;
}

const dotted = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
