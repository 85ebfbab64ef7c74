import { expect, test } from "bun:test";
import { maskedProxy, parseProxy, proxyFor, takeProxyVariables } from "./proxy-settings.ts";

const settings = { httpProxy: "http://plain:1", httpsProxy: "u:p@tls:2" };

test.each([
  ["https://r.example/v2/", "", "http://u:p@tls:2/"],
  ["http://r.example/v2/", "", "http://plain:1/"],
  ["https://localhost:5000/", "", undefined],
  ["https://127.0.0.5/", "", undefined],
  ["https://[::1]:5000/", "", undefined],
  ["https://r.example/", "*", undefined],
  ["https://r.example/", " other , R.Example ", undefined],
  ["https://a.r.example/", "r.example", undefined],
  ["https://ar.example/", "r.example", "http://u:p@tls:2/"],
  ["https://r.example/", ".r.example", "http://u:p@tls:2/"],
  ["https://a.r.example/", "*.r.example", undefined],
  ["https://r.example:5000/", "r.example:5000", undefined],
  ["https://r.example:5000/", "r.example:443", "http://u:p@tls:2/"],
  ["https://r.example/", "r.example:443", undefined],
  ["https://10.1.2.3/", "10.0.0.0/8", undefined],
  ["https://11.1.2.3/", "10.0.0.0/8,nonsense/8", "http://u:p@tls:2/"],
  ["https://[fd00::1]/", "fd00::/8", undefined],
  ["https://192.0.2.1/", "192.0.2.1", undefined],
])("%p without %p goes through %p", (url, noProxy, proxy) => {
  expect(proxyFor(new URL(url), { ...settings, noProxy })).toBe(proxy);
});

test("the environment's variables are taken away, upper case first", () => {
  const env: NodeJS.ProcessEnv = {
    HTTP_PROXY: "",
    http_proxy: "a",
    HTTPS_PROXY: "B",
    https_proxy: "b",
    PATH: "x",
  };
  expect(takeProxyVariables(env)).toEqual({ httpProxy: "a", httpsProxy: "B", noProxy: "" });
  expect(env).toEqual({ PATH: "x" });
});

test("ALL_PROXY is for what has no proxy of its own, and is taken, too", () => {
  const env = { ALL_PROXY: "all", HTTPS_PROXY: "tls" };
  expect(takeProxyVariables(env)).toEqual({ httpProxy: "all", httpsProxy: "tls", noProxy: "" });
  expect(env).toEqual({} as typeof env);
});

test.each(["socks5://u:p@h:1", "socks5h://h", "SOCKS5://h:1", "http://h", "https://u:p@h", "h:1"])(
  "%p is a proxy",
  (proxy) => expect(parseProxy(proxy).hostname).toBe("h"),
);

test.each([
  [
    "socks4://u:p@h:1",
    "proxy socks4://xxxxx:xxxxx@h:1: only http, https, socks5 and socks5h proxies are built",
  ],
  ["socks4a://h:1", "proxy socks4a://h:1: only http"],
  ["socks5://", "a proxy's URL"],
  ["socks5://u:%zz@h", "proxy socks5://xxxxx:xxxxx@h: user or password have a % that encodes nothing"],
  [
    `socks5://${"u".repeat(256)}:p@h`,
    "proxy socks5://xxxxx:xxxxx@h: user or password have more than 255 bytes",
  ],
])("%p is refused by name, without its password", (proxy, message) => {
  expect(() => parseProxy(proxy)).toThrow(message);
});

test.each([
  ["", ""],
  ["http://proxy:3128", "http://proxy:3128"],
  ["http://user:p@ss@proxy:3128/", "http://xxxxx:xxxxx@proxy:3128/"],
  ["user:secret@proxy", "xxxxx:xxxxx@proxy"],
])("%p is shown as %p", (proxy, shown) => expect(maskedProxy(proxy)).toBe(shown));
