import { JsonFields } from "../formats/json-fields.ts";
import type { ConfiguredMirror } from "../registry/client/parse-mirror.ts";

/** What `--config-file` says. Keys that dockerd has are spelled and mean as in its daemon.json. */
export interface EngineConfigFile {
  readonly registryMirrors?: readonly string[] | undefined;
  readonly insecureRegistries?: readonly string[] | undefined;
  readonly nondistributableRegistries?: readonly string[] | undefined;
  /** Of gantry alone. */
  readonly layerUrlHosts?: readonly string[] | undefined;
  readonly maxConcurrentDownloads?: number | undefined;
  readonly maxConcurrentUploads?: number | undefined;
  readonly maxDownloadAttempts?: number | undefined;
  /** Of gantry alone: a size such as `64g`, and a number. */
  readonly maxLayerSize?: string | undefined;
  readonly maxLayerRatio?: number | undefined;
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  /** The registry that the engine serves; `settings` as for `--registry-opt`. */
  readonly registry?: { readonly address: string; readonly settings: readonly string[] } | undefined;
  /** By domain of references. */
  readonly mirrors: Readonly<Record<string, readonly ConfiguredMirror[]>>;
}

/**
 * Parses the engine's configuration file.
 * Errors: InvalidParameter naming file and key; a key that is not known is refused, not ignored.
 */
export function parseEngineConfig(path: string, text: string): EngineConfigFile {
  const fields = JsonFields.parse(path, text);
  fields.refuseOthers([
    "registry-mirrors",
    "insecure-registries",
    "allow-nondistributable-artifacts",
    "layer-url-hosts",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "max-layer-size",
    "max-layer-ratio",
    "proxies",
    "registries",
    "registry",
  ]);
  const proxies = fields.object("proxies");
  if (proxies) proxies.refuseOthers(["http-proxy", "https-proxy", "no-proxy"]);
  const registries = fields.object("registries");
  return {
    registryMirrors: fields.strings("registry-mirrors"),
    insecureRegistries: fields.strings("insecure-registries"),
    nondistributableRegistries: fields.strings("allow-nondistributable-artifacts"),
    layerUrlHosts: fields.strings("layer-url-hosts"),
    maxConcurrentDownloads: fields.wholeNumber("max-concurrent-downloads"),
    maxConcurrentUploads: fields.wholeNumber("max-concurrent-uploads"),
    maxDownloadAttempts: fields.wholeNumber("max-download-attempts"),
    maxLayerSize: fields.string("max-layer-size"),
    maxLayerRatio: fields.wholeNumber("max-layer-ratio"),
    httpProxy: proxies?.string("http-proxy"),
    httpsProxy: proxies?.string("https-proxy"),
    noProxy: proxies?.string("no-proxy"),
    registry: registryOf(fields.object("registry")),
    mirrors: Object.fromEntries(
      (registries?.keys() ?? []).map((domain) => [domain, mirrorsOf(registries?.requiredObject(domain))]),
    ),
  };
}

/** `addr`, and the options of `gantry registry serve` by their names: a text, a number, true or a list. */
function registryOf(registry: JsonFields | undefined): EngineConfigFile["registry"] {
  if (registry === undefined) return undefined;
  const names = registry.keys().filter((name) => name !== "addr");
  return {
    address: registry.requiredString("addr"),
    settings: names.flatMap((name) => settingsOf(registry, name, registry.value(name))),
  };
}

function settingsOf(registry: JsonFields, name: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => settingsOf(registry, name, each));
  if (typeof value === "boolean") return value ? [name] : [];
  if (typeof value === "string" || typeof value === "number") return [`${name}=${value}`];
  throw registry.problem(name, "is not a text, a number, true, false or a list of them");
}

function mirrorsOf(registry: JsonFields | undefined): ConfiguredMirror[] {
  if (registry) registry.refuseOthers(["mirrors"]);
  return (registry?.requiredObjects("mirrors") ?? []).map((mirror) => {
    mirror.refuseOthers(["url", "capabilities", "override-path", "skip-verify"]);
    return {
      url: mirror.requiredString("url"),
      capabilities: mirror.strings("capabilities"),
      overridePath: mirror.boolean("override-path"),
      skipVerify: mirror.boolean("skip-verify"),
    };
  });
}
