import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostsFiles, parseHostsFile } from "./hosts-file.ts";

const path = "/etc/certs.d/r.example/hosts.toml";

test("a file with everything that containerd's documentation has", () => {
  const text = `
server = "https://registry-1.docker.io"
ca = "/etc/ca.crt"

[host."https://mirror.example/prefix"]
  capabilities = ["Push", "pull", "resolve"]
  dial_timeout = "1m1.5s"
  ca = ["one.crt", "/two.crt"]
  client = [["c.cert", "c.key"]]
  skip_verify = true
  [host."https://mirror.example/prefix".header]
    x-one = "1"
    x-many = ["a", "b"]

[host."http://plain.example:5000"]
  capabilities = ["pull"]
  client = "both.pem"

[host."no-scheme.example/v2"]

[host."https://odd.example/root"]
  override_path = true
`;
  expect(parseHostsFile(path, text)).toEqual({
    server: {
      url: "https://registry-1.docker.io/",
      apiRoot: "https://registry-1.docker.io/v2/",
      capabilities: ["pull", "resolve", "push", "referrers"],
      skipVerify: false,
      files: { ca: ["/etc/ca.crt"] },
      headers: undefined,
    },
    mirrors: [
      {
        url: "https://mirror.example/prefix/",
        apiRoot: "https://mirror.example/prefix/v2/",
        capabilities: ["push", "pull", "resolve"],
        connectTimeoutMs: 61_500,
        skipVerify: true,
        files: {
          ca: ["/etc/certs.d/r.example/one.crt", "/two.crt"],
          client: { cert: "/etc/certs.d/r.example/c.cert", key: "/etc/certs.d/r.example/c.key" },
        },
        headers: { "x-one": "1", "x-many": "a, b" },
      },
      {
        url: "http://plain.example:5000/",
        apiRoot: "http://plain.example:5000/v2/",
        capabilities: ["pull"],
        skipVerify: false,
        files: {
          ca: [],
          client: { cert: "/etc/certs.d/r.example/both.pem", key: "/etc/certs.d/r.example/both.pem" },
        },
        headers: undefined,
      },
      {
        url: "https://no-scheme.example/v2/",
        apiRoot: "https://no-scheme.example/v2/",
        capabilities: ["pull", "resolve"],
        skipVerify: false,
        files: undefined,
        headers: undefined,
      },
      {
        url: "https://odd.example/root/",
        apiRoot: "https://odd.example/root/",
        capabilities: ["pull", "resolve"],
        skipVerify: false,
        files: undefined,
        headers: undefined,
      },
    ],
  });
});

test.each([
  ["server = ", path],
  ['mirror = "x"', `${path}: mirror is not known`],
  ["override_path = true", `${path}: override_path says something of the server's URL, which is not there`],
  ['[host."https://m"]\nrewrite = "1s"', `${path}: host.https://m.rewrite is not known`],
  [
    '[host."https://m"]\ndial_timeout = "soon"',
    "host.https://m.dial_timeout is no length of time such as 5s",
  ],
  ['[host."https://m"]\ndial_timeout = "0s"', "host.https://m.dial_timeout is no length of time such as 5s"],
  [
    '[host."https://m"]\ncapabilities = ["fly"]',
    `${path}: invalid mirror: "https://m" cannot be used for "fly"`,
  ],
  ['[host."https://m"]\nca = 1', "ca is not a list"],
  [
    '[host."https://m"]\nclient = [["a", "b"], ["c", "d"]]',
    "host.https://m.client is not one certificate with its key",
  ],
  ['[host."https://u:p@m"]', `${path}: invalid mirror: username/password not allowed in URI`],
])("%j is refused by name", (text, message) => {
  expect(() => parseHostsFile(path, text)).toThrow(message);
});

test("without a server the file speaks of the registry itself; an empty list of capabilities is none", () => {
  const text = 'ca = "own.crt"\ndial_timeout = "2s"\ncapabilities = []\n[header]\nx-a = "1"\n';
  expect(parseHostsFile(path, text)).toEqual({
    own: {
      capabilities: ["pull", "resolve", "push", "referrers"],
      skipVerify: false,
      files: { ca: ["/etc/certs.d/r.example/own.crt"] },
      headers: { "x-a": "1" },
      connectTimeoutMs: 2000,
    },
    mirrors: [],
  });
});

describe("the directory", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "gantry-hosts-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const write = (name: string, text: string) => {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, "hosts.toml"), text);
  };
  const serverOf = async (domain: string) => (await new HostsFiles(directory).of(domain)).server?.url;

  test("has a file for each registry, and one for all others", async () => {
    expect(await serverOf("r.example:5000")).toBeUndefined();
    write("_default", 'server = "https://default.example"');
    write("r.example:5000", 'server = "https://own.example"');
    expect(await serverOf("r.example:5000")).toBe("https://own.example/");
    expect(await serverOf("r.example")).toBe("https://default.example/");
    write("r.example_5000_", 'server = "https://underscores.example"');
    expect(await serverOf("r.example:5000")).toBe("https://underscores.example/");
  });
});
