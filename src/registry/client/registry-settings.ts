import type { ProxySettings } from "./proxy-settings.ts";

/** A server with copies of a registry's content, which is asked before the registry itself. */
export interface Mirror {
  /** As it was configured, with a slash at the end. */
  readonly url: string;
  /** What stands before `library/busybox/manifests/…`: `https://mirror.example/v2/`. */
  readonly apiRoot: string;
  /** Whether it may say what a tag means; otherwise it only delivers what has a digest. */
  readonly canResolve: boolean;
  /** Whether any certificate will do. */
  readonly skipVerify: boolean;
}

/** How registries are reached. */
export interface RegistrySettings {
  /** By domain of references, in the order in which they are asked. */
  readonly mirrors: Readonly<Record<string, readonly Mirror[]>>;
  /** `host[:port]` and CIDR ranges for which plain HTTP and any certificate will do, beside loopback. */
  readonly insecureRegistries: readonly string[];
  /** `HOST[:PORT]/ca.crt`, `client.cert` and `client.key` below it; undefined: no such files. */
  readonly certificatesDirectory: string | undefined;
  readonly proxies: ProxySettings;
}
