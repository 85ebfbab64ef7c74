import { invalidParameter } from "../errors/platform-error.ts";
import { durationMs } from "./registry-gc-options.ts";

/** The registry whose content is cached. */
export interface RegistryProxyOptions {
  /** `host[:port]`. */
  readonly domain: string;
  /** Plain HTTP will do. */
  readonly isPlain: boolean;
  readonly username: string | undefined;
  /** Path; undefined: GANTRY_PROXY_PASSWORD of the environment. */
  readonly passwordFile: string | undefined;
  /** Directory with `HOST/ca.crt` and client certificates. */
  readonly certificatesDirectory: string | undefined;
  /** What nobody asks for goes after so long, in milliseconds. */
  readonly ttlMs: number;
}

export const registryProxyFlags = {
  proxy: { type: "string" },
  "proxy-username": { type: "string" },
  "proxy-password-file": { type: "string" },
  "proxy-certs-dir": { type: "string" },
  "proxy-ttl": { type: "string" },
} as const;

type Values = { readonly [flag in keyof typeof registryProxyFlags]?: string };

const defaultTtlMs = 7 * 24 * 3600_000;

/** Undefined without `--proxy`. Errors: InvalidParameter naming the option. */
export function parseRegistryProxy(values: Values): RegistryProxyOptions | undefined {
  const url = values.proxy;
  if (url === undefined) {
    const alone = (Object.keys(registryProxyFlags) as (keyof Values)[]).find(
      (flag) => values[flag] !== undefined,
    );
    if (alone) throw invalidParameter(`--${alone} without --proxy: nothing is cached`);
    return undefined;
  }
  const [, scheme, domain] =
    /^(https?):\/\/([\w.-]+(?::\d{1,5})?|\[[0-9a-f:]+\](?::\d{1,5})?)\/?$/i.exec(url) ?? [];
  if (domain === undefined) {
    throw invalidParameter(`--proxy ${url}: expected https://HOST[:PORT] of a registry`, {
      hint: "user and password are --proxy-username and --proxy-password-file",
    });
  }
  if (values["proxy-password-file"] !== undefined && values["proxy-username"] === undefined)
    throw invalidParameter("--proxy-password-file without --proxy-username: whose password is it");
  return {
    domain: domain.toLowerCase(),
    isPlain: scheme?.toLowerCase() === "http",
    username: values["proxy-username"],
    passwordFile: values["proxy-password-file"],
    certificatesDirectory: values["proxy-certs-dir"],
    ttlMs: durationMs("proxy-ttl", values["proxy-ttl"]) ?? defaultTtlMs,
  };
}
