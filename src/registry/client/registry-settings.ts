import type { ProxySettings } from "./proxy-settings.ts";

/** Paths of PEM files that count for one server, beside those of its directory. */
export interface TlsFiles {
  readonly ca: readonly string[];
  readonly client?: { readonly cert: string; readonly key: string };
}

/**
 * What a server may be asked for: content by its digest, what a tag means, to take what is pushed, and who refers to an
 * image, which a pull never asks.
 */
export type Capability = "pull" | "resolve" | "push" | "referrers";

/** How a server is spoken to. */
export interface ServerOptions {
  readonly capabilities: readonly Capability[];
  /** Whether any certificate will do. */
  readonly skipVerify: boolean;
  readonly files?: TlsFiles | undefined;
  /** Sent with each request to it. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long a connection may take to come about. */
  readonly connectTimeoutMs?: number | undefined;
}

/** A server with copies of a registry's content, which is asked before the registry itself. */
export interface Mirror extends ServerOptions {
  /** As it was configured, with a slash at the end. */
  readonly url: string;
  /** What stands before `library/busybox/manifests/…`: `https://mirror.example/v2/`. */
  readonly apiRoot: string;
}

/** What may change while the engine runs. */
export type ReloadableSettings = Pick<
  RegistrySettings,
  "mirrors" | "insecureRegistries" | "layerUrlHosts" | "nondistributableRegistries"
>;

/** How registries are reached. */
export interface RegistrySettings {
  /** By domain of references, in the order in which they are asked. */
  readonly mirrors: Readonly<Record<string, readonly Mirror[]>>;
  /** `host[:port]` and CIDR ranges for which plain HTTP and any certificate will do, beside loopback. */
  readonly insecureRegistries: readonly string[];
  /** `HOST[:PORT]/` below it has certificates, and containerd's `hosts.toml`; undefined: no such files. */
  readonly certificatesDirectory: string | undefined;
  /** A `config.json` with the logins for mirrors; undefined: none. */
  readonly mirrorLogins: string | undefined;
  readonly proxies: ProxySettings;
  /** `[http://]host[:port]` and CIDR ranges which the URLs of layers may lead to, beside https to public addresses. */
  readonly layerUrlHosts: readonly string[];
  /** Registries (`host[:port]`, CIDR ranges) that are sent layers which are not to be distributed. */
  readonly nondistributableRegistries: readonly string[];
}
