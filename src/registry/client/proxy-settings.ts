import { isIP } from "node:net";
import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import { AddressRanges } from "./address-ranges.ts";
import { hostName, isLoopback } from "./host-name.ts";

/** Through which proxies the engine reaches registries; "" is none. May hold passwords: see `maskedProxy`. */
export interface ProxySettings {
  /** For `http://` and for `https://` URLs. */
  readonly httpProxy: string;
  readonly httpsProxy: string;
  /** Hosts, domains, addresses and CIDR ranges that are reached directly, separated by commas. */
  readonly noProxy: string;
}

export const noProxies: ProxySettings = { httpProxy: "", httpsProxy: "", noProxy: "" };

const variables = {
  httpProxy: ["HTTP_PROXY", "http_proxy"],
  httpsProxy: ["HTTPS_PROXY", "https_proxy"],
  /** For both, where they are not set. */
  allProxy: ["ALL_PROXY", "all_proxy"],
  noProxy: ["NO_PROXY", "no_proxy"],
} as const satisfies Record<keyof ProxySettings | "allProxy", readonly string[]>;

/**
 * Takes the proxies out of an environment. They are removed from it, because `fetch` would obey them by itself,
 * also where the settings say otherwise. Upper case wins, as in Go's programs.
 */
export function takeProxyVariables(env: NodeJS.ProcessEnv): ProxySettings {
  const take = (names: readonly string[]): string => {
    const values = names.map((name) => env[name]);
    for (const name of names) delete env[name];
    return values.find((value) => value) ?? "";
  };
  const allProxy = take(variables.allProxy);
  return {
    httpProxy: take(variables.httpProxy) || allProxy,
    httpsProxy: take(variables.httpsProxy) || allProxy,
    noProxy: take(variables.noProxy),
  };
}

/** The URL of the proxy for a request; undefined: none. The rules are those of Go's `HTTP_PROXY`. */
export function proxyFor(url: URL, settings: ProxySettings): string | undefined {
  const proxy = url.protocol === "https:" ? settings.httpsProxy : settings.httpProxy;
  if (proxy === "" || isLoopback(hostName(url.host)) || isExempt(url, settings.noProxy)) return undefined;
  return parseProxy(proxy).href;
}

/** Errors: InvalidParameter or NotImplemented, which never show the password. */
export function parseProxy(text: string): URL {
  const whole = /^[a-z0-9]+:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(whole)) throw invalidParameter("a proxy's URL is not valid", { code: "proxy.url" });
  const url = new URL(whole);
  if (!isSocks(url) && url.protocol !== "http:" && url.protocol !== "https:") {
    throw notImplemented(
      `proxy ${maskedProxy(whole)}: only http, https, socks5 and socks5h proxies are built`,
      {
        code: "proxy.scheme",
        hint: "put one of these in front of it that forwards to it, and name that one",
      },
    );
  }
  if (url.hostname === "") throw invalidParameter("a proxy's URL has no host", { code: "proxy.url" });
  checkLogin(url, whole);
  return url;
}

/** SOCKS 5; names are looked up by the proxy in both. */
export function isSocks({ protocol }: URL): boolean {
  return protocol === "socks5:" || protocol === "socks5h:";
}

/** RFC 1929 has one byte for each length. */
const maxLoginBytes = 255;

function checkLogin(url: URL, whole: string): void {
  for (const text of [url.username, url.password]) {
    const length = decodedLength(text);
    if (length === undefined) {
      throw invalidParameter(`proxy ${maskedProxy(whole)}: user or password have a % that encodes nothing`, {
        code: "proxy.url",
        hint: "write a % of its own as %25",
      });
    }
    if (isSocks(url) && length > maxLoginBytes) {
      throw invalidParameter(
        `proxy ${maskedProxy(whole)}: user or password have more than ${maxLoginBytes} bytes, which SOCKS cannot say`,
        { code: "proxy.url" },
      );
    }
  }
}

function decodedLength(text: string): number | undefined {
  try {
    return Buffer.byteLength(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}

/** As Docker shows it: with `xxxxx` for user and password. */
export function maskedProxy(text: string): string {
  const [, scheme = "", rest = ""] = /^([a-z0-9]+:\/\/)?(.*)$/is.exec(text) ?? [];
  const at = rest.lastIndexOf("@");
  return at < 0 ? text : `${scheme}xxxxx:xxxxx@${rest.slice(at + 1)}`;
}

function isExempt(url: URL, noProxy: string): boolean {
  const host = hostName(url.host).toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== "" && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return new AddressRanges([entry]).has(host);
  const name = isIP(entry) ? entry : hostName(entry);
  const wantedPort = isIP(entry) ? undefined : /:(\d+)$/.exec(entry)?.[1];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (isIP(name)) return name === host;
  // `.example` and `*.example` are below the domain, `example` is the domain as well.
  if (name.startsWith(".") || name.startsWith("*.")) return host.endsWith(name.replace(/^\*/, ""));
  return host === name || host.endsWith(`.${name}`);
}
