import { describe, expect, test } from "bun:test";
import { parseEngineOptions } from "./engine-options.ts";

test("the defaults", () => {
  expect(parseEngineOptions([])).toEqual({
    root: "/var/lib/gantry",
    state: "/run/gantry",
    sockets: ["/run/gantry/gantry.sock"],
    bridge: undefined,
    subnet: undefined,
    layerCompression: "gzip",
    storageDriver: undefined,
    layerLimits: {},
    logLevel: "info",
    pidFile: undefined,
    group: undefined,
    registries: {
      mirrors: {},
      insecureRegistries: [],
      layerUrlHosts: [],
      nondistributableRegistries: [],
      certificatesDirectory: "/etc/gantry/certs.d",
      mirrorLogins: "/etc/gantry/config.json",
      proxies: { httpProxy: "", httpsProxy: "", noProxy: "" },
    },
    transfers: { concurrentDownloads: 3, concurrentUploads: 5, downloadAttempts: 5 },
    registry: undefined,
  });
});

test("the default socket lies in the state directory", () => {
  expect(parseEngineOptions(["--state", "/run/x/"])?.sockets).toEqual(["/run/x/gantry.sock"]);
});

test("hosts are repeatable, in both forms of flags", () => {
  const options = parseEngineOptions(["--host", "unix:///a.sock", "-H", "unix:///b.sock", "--root=/r"]);
  expect(options?.sockets).toEqual(["/a.sock", "/b.sock"]);
  expect(options?.root).toBe("/r");
});

test.each([
  ["10.1.2.1/24", "10.1.2.0/24"],
  ["172.31.128.1/17", "172.31.128.0/17"],
])("bridge address %p is subnet %p", (bip, subnet) => {
  expect(parseEngineOptions(["--bip", bip])?.subnet).toBe(subnet);
});

test("a storage driver by any of its names", () => {
  expect(parseEngineOptions(["--storage-driver", "native"])?.storageDriver).toBe("vfs");
});

test("help is no set of options", () => {
  expect(parseEngineOptions(["--help"])).toBeUndefined();
});

test.each([
  [["--host", "tcp://0.0.0.0:2375"], "listening on TCP is not built yet"],
  [["--host", "/run/x.sock"], "expected unix:///path"],
  [["--host", `unix:///${"x".repeat(107)}`], "longer than the 107 bytes"],
  [["--root", "relative"], "--root relative: not an absolute directory"],
  [["--root", "/"], "--root /: not an absolute directory"],
  [["--bridge", "a-name-that-is-long"], "--bridge a-name-that-is-long"],
  [["--log-level", "loud"], "--log-level loud"],
  [["--storage-driver", "btrfs"], "--storage-driver btrfs"],
  [["--colour"], "--colour"],
  [["word"], "word"],
  [["--bip", "10.1.2.0/24"], "10.1.2.1"],
  [["--bip", "10.1.2.1"], "--bip 10.1.2.1"],
  [["--registry-mirror", "ftp://m"], 'invalid mirror: unsupported scheme "ftp" in "ftp://m"'],
  [["--registry-mirror", "https://a:b@m"], "invalid mirror: username/password not allowed in URI"],
  [["--registry-mirror", "https://m/?a"], "invalid mirror: query or fragment at end of the URI"],
  [["--registry-mirror", "m:5000/x y"], "invalid mirror: "],
  [["--registry", "0.0.0.0:80"], "without TLS only this machine is served"],
  [["--registry-opt", "read-only"], "--registry-opt without --registry"],
  [["--registry", "127.0.0.1:0", "--registry-opt", "root=/x"], "--registry-opt root=/x: not an option"],
  [["--registry", "127.0.0.1:0", "--registry-opt", "speed=9"], "--registry-opt speed"],
  [["--insecure-registry", "a b"], "insecure registry a b is not valid"],
  [["--https-proxy", "socks4://u:secret@p"], "proxy socks4://xxxxx:xxxxx@p: only http, https, socks5"],
  [["--max-concurrent-downloads", "-1"], "--max-concurrent-downloads"],
  [["--max-concurrent-uploads=-1"], "invalid max concurrent uploads: -1"],
  [["--max-download-attempts", "0"], "invalid max download attempts: 0"],
  [["--config-file", "/none"], "--config-file /none: no such file or directory"],
  [["--bip", "10.1.2.1/33"], "--bip 10.1.2.1/33"],
])("%p is refused: %p", (argv, message) => {
  expect(() => parseEngineOptions(argv)).toThrow(message);
});

test.each([
  [["--registry", "nonsense"], "--registry nonsense: expected an IP address"],
  [
    ["--registry", "127.0.0.1:1", "--registry-opt", "gc-untagged"],
    "--registry-opt gc-untagged without --registry-opt gc-interval",
  ],
  [
    ["--registry", "127.0.0.1:1", "--registry-opt", "tls-cert=/x"],
    "--registry-opt tls-cert and --registry-opt tls-key belong together",
  ],
])("%j is refused by the names that the engine has for its registry", (argv, message) => {
  expect(() => parseEngineOptions(argv)).toThrow(message);
});

describe("the configuration file", () => {
  const withFile = (file: object | string, argv: string[] = []) =>
    parseEngineOptions(argv, {
      proxies: { httpProxy: "http://env:1", httpsProxy: "", noProxy: "env.example" },
      readFile: () => (typeof file === "string" ? file : JSON.stringify(file)),
    });

  test("has the registry that the engine serves, as the flags do", () => {
    const registry = {
      addr: "127.0.0.1:5000",
      "read-only": true,
      "auth-token": false,
      "gc-interval": "2h",
      htpasswd: "/etc/users",
    };
    const flags = ["read-only", "gc-interval=2h", "htpasswd=/etc/users"].flatMap((each) => [
      "--registry-opt",
      each,
    ]);
    expect(withFile({ registry })?.registry).toEqual(
      parseEngineOptions(["--registry", "127.0.0.1:5000", ...flags])?.registry,
    );
  });

  test.each<[string, object, string[]]>([
    ["registry.addr is missing", { "read-only": true }, []],
    ["registry.htpasswd is not a text, a number", { addr: "127.0.0.1:5000", htpasswd: {} }, []],
    ["registry.speed", { addr: "127.0.0.1:5000", speed: 9 }, []],
    ["registry.addr nowhere: expected an IP address", { addr: "nowhere" }, []],
    ["registry.gc-grace without registry.gc-interval", { addr: "127.0.0.1:5000", "gc-grace": "1h" }, []],
    [
      "both as a flag and in the configuration file",
      { addr: "127.0.0.1:5000" },
      ["--registry", "127.0.0.1:1"],
    ],
  ])("a registry of its own: %s", (message, registry, argv) => {
    expect(() => withFile({ registry }, argv)).toThrow(message);
  });

  test("has dockerd's keys, and mirrors of every registry", () => {
    const options = withFile(
      {
        "registry-mirrors": ["https://hub.example"],
        "insecure-registries": ["http://plain.example:5000", "10.0.0.0/8"],
        "allow-nondistributable-artifacts": ["own.example:5000"],
        "layer-url-hosts": ["http://Layers.lan:80", "https://files.lan:8443", "10.9.0.0/16"],
        "max-concurrent-downloads": 7,
        "max-concurrent-uploads": 0,
        "max-download-attempts": 2,
        proxies: { "https-proxy": "proxy:3128", "no-proxy": "*.local" },
        registries: {
          "quay.io": {
            mirrors: [
              { url: "https://m.example/quay", capabilities: ["pull"], "skip-verify": true },
              { url: "https://n.example/v2/quay/", "override-path": true },
            ],
          },
        },
      },
      ["--config-file", "/x/engine.json"],
    );
    expect(options?.registries).toEqual({
      mirrors: {
        "docker.io": [
          {
            url: "https://hub.example/",
            apiRoot: "https://hub.example/v2/",
            capabilities: ["pull", "resolve"],
            skipVerify: false,
          },
        ],
        "quay.io": [
          {
            url: "https://m.example/quay/",
            apiRoot: "https://m.example/quay/v2/",
            capabilities: ["pull"],
            skipVerify: true,
          },
          {
            url: "https://n.example/v2/quay/",
            apiRoot: "https://n.example/v2/quay/",
            capabilities: ["pull", "resolve"],
            skipVerify: false,
          },
        ],
      },
      insecureRegistries: ["plain.example:5000", "10.0.0.0/8"],
      layerUrlHosts: ["http://layers.lan", "files.lan:8443", "10.9.0.0/16"],
      nondistributableRegistries: ["own.example:5000"],
      certificatesDirectory: "/x/certs.d",
      mirrorLogins: "/x/config.json",
      proxies: { httpProxy: "http://env:1", httpsProxy: "proxy:3128", noProxy: "*.local" },
    });
    expect(options?.transfers).toEqual({ concurrentDownloads: 7, concurrentUploads: 5, downloadAttempts: 2 });
  });

  test("a flag can name the registry of a mirror, and the file adds to it", () => {
    const mirrors = withFile({ registries: { "quay.io": { mirrors: [{ url: "http://b" }] } } }, [
      "--registry-mirror",
      "quay.io=https://a",
      "--registry-mirror=https://hub",
    ])?.registries.mirrors;
    expect(mirrors?.["quay.io"]?.map(({ url }) => url)).toEqual(["https://a/", "http://b/"]);
    expect(mirrors?.["docker.io"]?.map(({ url }) => url)).toEqual(["https://hub/"]);
  });

  test.each([
    ["{", [], "/etc/gantry/engine.json is not valid JSON"],
    [{ "data-root": "/x" }, [], "/etc/gantry/engine.json: data-root is not known"],
    [{ proxies: { ftp: "" } }, [], "proxies.ftp is not known"],
    [{ registries: { r: { mirrors: [{ url: "https://m", capabilities: ["push"] }] } } }, [], '"push"'],
    [{ registries: { r: { mirrors: [{}] } } }, [], "registries.r.mirrors[0].url is missing"],
    [
      { "max-download-attempts": 1 },
      ["--max-download-attempts=2"],
      "both as a flag and in the configuration",
    ],
    [{ "registry-mirrors": [] }, ["--registry-mirror=https://a"], "--registry-mirror is specified both"],
  ] as const)("%j with %j is refused", (file, argv, message) => {
    expect(() => withFile(file, [...argv])).toThrow(message);
  });
});

test("the registry inside an engine takes the options of a registry, in the engine's directory", () => {
  const { registry } = parseEngineOptions([
    ...["--root", "/e", "--registry", "127.0.0.1:80"],
    ...["--registry-opt", "htpasswd=/u", "--registry-opt", "read-only"],
  ]) ?? { registry: undefined };
  expect(registry).toMatchObject({
    root: "/e/registry",
    port: 80,
    readOnly: true,
    auth: { kind: "basic", htpasswd: "/u" },
  });
});

test("limits of layers are read as sizes and numbers, and refused by name", () => {
  const limits = (...argv: string[]) => parseEngineOptions(argv)?.layerLimits;
  expect(limits("--max-layer-size", "64g", "--max-layer-ratio", "1000")).toEqual({
    unpackedBytes: 64 * 1024 ** 3,
    ratio: 1000,
  });
  expect(() => limits("--max-layer-size", "much")).toThrow("max-layer-size: invalid size: 'much'");
  for (const ratio of ["0", "-1", "1.5", "x"])
    expect(() => limits(`--max-layer-ratio=${ratio}`)).toThrow(`invalid max-layer-ratio: ${ratio}`);
});
