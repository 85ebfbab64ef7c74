import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { Connections } from "../../../src/registry/receive/connections.ts";
import { type Certificate, TestAuthority } from "../../fixtures/certificates.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { HttpProxy } from "../../fixtures/http-proxy.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { SocksProxy } from "../../fixtures/socks-proxy.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

/** A registry with TLS and passwords, and one without TLS, whose names only the proxies know. */
const directory = scratchDirectory("proxies");
const [name, plainName] = ["registry.test", "plain.test"];
const credentials = { username: "ann", password: "secret" };
let authority: TestAuthority;
let proxyCertificate: Certificate;
let registry: TestRegistry;
let plain: TestRegistry;
let ports: Record<string, number>;

beforeAll(async () => {
  const certificates = join(directory, "certs.d", name);
  mkdirSync(certificates, { recursive: true });
  authority = await TestAuthority.create(directory);
  const client = await authority.issue("client");
  const tls = { ...(await authority.issue(name)), clientCa: authority.cert };
  proxyCertificate = await authority.issue("localhost");
  registry = await TestRegistry.start({ credentials, tls });
  plain = await TestRegistry.start();
  copyFileSync(authority.cert, join(certificates, "ca.crt"));
  copyFileSync(client.cert, join(certificates, "client.cert"));
  copyFileSync(client.key, join(certificates, "client.key"));
  const portOf = ({ host }: TestRegistry) => Number(host.split(":")[1]);
  ports = { [name]: portOf(registry), [plainName]: portOf(plain) };
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await plain?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, 30_000);

async function startEngine(proxy: string, args: readonly string[] = []): Promise<TestEngine> {
  const configFile = join(directory, "engine.json");
  writeFileSync(configFile, JSON.stringify({ "insecure-registries": [plainName] }));
  return await TestEngine.start({
    name: "proxies",
    args: ["--config-file", configFile, ...args],
    env: { ALL_PROXY: proxy },
  });
}

/** Login, push and pull at both registries. */
async function exercise(engine: TestEngine, client: (typeof clients)[number], tag: string): Promise<void> {
  const env = { DOCKER_CONFIG: join(directory, `${client}-config`) };
  const run = async (...args: string[]) => {
    const result = await engine[client](args, { env, input: credentials.password });
    if (result.exitCode !== 0) throw new Error(`${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  };
  expect(await run("login", "-u", "ann", "--password-stdin", name)).toContain("Login Succeeded");
  for (const host of [name, plainName]) {
    const image = `${host}/${client}:${tag}`;
    await engine.load(await busyboxArchive(image));
    expect(await run("push", image)).toContain(`${tag}: digest: sha256:`);
    await run("rmi", image);
    expect(await run("pull", image)).toContain("Status: Downloaded newer image");
    expect(await run("run", "--rm", image, "echo", "hi")).toBe("hi\n");
    await run("rmi", image);
  }
}

describe.each([
  ["socks5", undefined],
  ["socks5h", "user:p@ss"],
])("a %s proxy with the login %s", (scheme, login) => {
  let proxy: SocksProxy;
  let engine: TestEngine;
  beforeAll(async () => {
    proxy = await SocksProxy.start(ports, login);
    const user = login === undefined ? "" : "user:p%40ss@";
    engine = await startEngine(`${scheme}://${user}${proxy.host}`);
  }, 30_000);
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
  }, 30_000);

  test.each(clients)(
    "lets %s log in, push and pull, with and without TLS",
    async (client) => {
      await exercise(engine, client, scheme);
      expect(proxy.connections).toContain(`${name}:443`);
      expect(proxy.connections).toContain(`${plainName}:80`);
    },
    30_000,
  );

  test("that does not know a name says so", async () => {
    const { stderr } = await engine.gantry(["pull", "unknown.test/app"]);
    expect(stderr).toContain("proxyconnect tcp: host unreachable");
    expect(stderr).toContain("check the proxy socks5");
    expect(stderr).not.toContain("p%40ss");
  });

  test("is shown by info without its login", async () => {
    const shown = `${scheme}://${login === undefined ? "" : "xxxxx:xxxxx@"}${proxy.host}`;
    expect((await engine.json("GET", "/info")).HttpsProxy).toBe(shown);
    expect(readFileSync(engine.logPath, "utf8")).not.toContain("p%40ss");
  });
});

test.each([
  ["socks5://", "no acceptable authentication methods"],
  ["socks5://user:wrong@", "username/password authentication failed"],
])(
  "a SOCKS proxy that wants another login than %s is named",
  async (url, reason) => {
    await using proxy = await SocksProxy.start(ports, "user:p@ss");
    await using engine = await startEngine(url + proxy.host);
    const { stderr } = await engine.gantry(["pull", `${plainName}/app`]);
    expect(stderr).toContain(`proxyconnect tcp: ${reason}`);
    expect(stderr).not.toContain("wrong");
  },
  20_000,
);

test("a SOCKS proxy that is not there is named with its port", async () => {
  await using engine = await startEngine("socks5://127.0.0.1:1");
  const { stderr } = await engine.gantry(["pull", `${plainName}/app`]);
  expect(stderr).toContain("proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused");
}, 20_000);

describe("an https proxy", () => {
  test("whose CA is in certs.d lets clients log in, push and pull; without it, it is named", async () => {
    await using proxy = await HttpProxy.start(ports, "u:p", proxyCertificate);
    const host = `localhost:${proxy.port}`;
    await using engine = await startEngine(`https://u:p@${host}`);
    const { stderr } = await engine.gantry(["pull", `${plainName}/app`]);
    expect(stderr).toContain("proxyconnect tcp: tls: ");
    expect(stderr).toContain(`check the proxy https://xxxxx:xxxxx@${host}`);
    const certificates = join(directory, "certs.d", host);
    mkdirSync(certificates, { recursive: true });
    copyFileSync(authority.cert, join(certificates, "ca.crt"));
    for (const client of clients) await exercise(engine, client, "https");
    expect(proxy.requests).toContain(`CONNECT ${name}:443 HTTP/1.1`);
    expect(proxy.requests.some((line) => line.startsWith(`GET http://${plainName}/v2/`))).toBe(true);
  }, 40_000);

  test("gives no more of a body that nobody takes than buffers hold, and is left when it is given up", async () => {
    const total = 256 << 20;
    let accepted = 0;
    const server = createServer((_, response) => {
      const piece = Buffer.alloc(64 << 10);
      response.writeHead(200, { "content-length": total });
      const more = () => {
        for (let goesOn = true; goesOn && accepted < total; accepted += piece.length) {
          goesOn = response.write(piece);
        }
      };
      response.on("drain", more);
      more();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await using proxy = await HttpProxy.start({ "big.test": port }, "u:p", proxyCertificate);
    const stop = new AbortController();
    const proxyTls = { ca: [readFileSync(authority.cert, "utf8")], rejectUnauthorized: true };
    const { status } = await new Connections().get(
      {
        ...{ url: "http://big.test/", headers: {}, tls: { rejectUnauthorized: true } },
        ...{ proxy: `https://u:p@localhost:${proxy.port}`, proxyTls },
      },
      stop.signal,
    );
    expect(status).toBe(200);
    for (let before = -1; accepted !== before; await Bun.sleep(100)) before = accepted;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(64 << 20);
    stop.abort();
    await waitFor("the end of the connections", () => proxy.open === 0);
    server.close();
  }, 20_000);
});
