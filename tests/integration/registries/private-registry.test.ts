import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestAuthority } from "../../fixtures/certificates.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { HttpProxy } from "../../fixtures/http-proxy.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

/** What a company has: a registry behind a proxy, with a CA of its own, client certificates and passwords. */
const name = "registry.test";
const directory = scratchDirectory("private-registry");
const certs = join(directory, "certs.d", name);
const configFile = join(directory, "engine.json");
const credentials = { username: "ann", password: "secret" };
let authority: TestAuthority;
let client: { readonly cert: string; readonly key: string };
let registry: TestRegistry;
let proxy: HttpProxy;
let engine: TestEngine;

beforeAll(async () => {
  mkdirSync(certs, { recursive: true });
  authority = await TestAuthority.create(directory);
  client = await authority.issue("client");
  const server = await authority.issue(name);
  registry = await TestRegistry.start({ credentials, tls: { ...server, clientCa: authority.cert } });
  proxy = await HttpProxy.start({ [name]: Number(registry.host.split(":")[1]) }, "proxy-user:proxy-secret");
  const url = `http://proxy-user:proxy-secret@${proxy.host}`;
  writeFileSync(configFile, JSON.stringify({ proxies: { "https-proxy": url } }));
  engine = await TestEngine.start({ name: "private-registry", args: ["--config-file", configFile] });
  await engine.load(await busyboxArchive(`${name}/app:1`, "127.0.0.1:1/direct:1"));
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, 30_000);

const pull = () => engine.gantry(["pull", `${name}/app:1`]);

test("a certificate of an unknown authority is refused, and the hint says where to put it", async () => {
  const { exitCode, stderr } = await pull();
  expect(exitCode).toBe(1);
  expect(stderr).toContain("x509: certificate signed by unknown authority");
  expect(stderr).toContain(`certs.d/${name}/ca.crt`);
});

test("the CA alone is not enough where the registry wants a client certificate", async () => {
  copyFileSync(authority.cert, join(certs, "ca.crt"));
  const { exitCode, stderr } = await pull();
  expect(exitCode).toBe(1);
  expect(stderr).toContain("client certificate");
});

test("a client certificate without its key is named", async () => {
  copyFileSync(client.cert, join(certs, "client.cert"));
  expect((await pull()).stderr).toContain("missing key client.key for client certificate");
});

test.each(clients)(
  "%s logs in, pushes and pulls through the proxy with the client certificate",
  async (user) => {
    copyFileSync(client.cert, join(certs, "client.cert"));
    copyFileSync(client.key, join(certs, "client.key"));
    const env = { DOCKER_CONFIG: join(directory, `${user}-config`) };
    const run = async (...args: string[]) => {
      const result = await engine[user](args, { env, input: credentials.password });
      if (result.exitCode !== 0) throw new Error(`${args.join(" ")}: ${result.stderr}`);
      return result.stdout;
    };
    const image = `${name}/${user}:1`;
    expect(await run("login", "-u", "ann", "--password-stdin", name)).toContain("Login Succeeded");
    await run("tag", `${name}/app:1`, image);
    expect(await run("push", image)).toContain("1: digest: sha256:");
    await run("rmi", image);
    expect(await run("pull", image)).toContain("Status: Downloaded newer image");
    expect(proxy.requests).toContain(`CONNECT ${name}:443 HTTP/1.1`);
  },
);

test("info shows the proxy without its password, and the log never has it", async () => {
  expect(await engine.must("docker", "info")).toContain(`HTTPS Proxy: http://xxxxx:xxxxx@${proxy.host}`);
  expect(await engine.must("gantry", "info")).toContain(`HTTPS Proxy: http://xxxxx:xxxxx@${proxy.host}`);
  expect(readFileSync(engine.logPath, "utf8")).not.toContain("proxy-secret");
});

test("loopback is reached without the proxy", async () => {
  const { stderr } = await engine.gantry(["push", "127.0.0.1:1/direct:1"]);
  expect(stderr).toContain("dial tcp 127.0.0.1:1: connect: connection refused");
});

test("a proxy that wants another password, and one that is not there, are named", async () => {
  const proxies = (url: string) =>
    writeFileSync(configFile, JSON.stringify({ proxies: { "https-proxy": url } }));
  proxies(`http://proxy-user:wrong@${proxy.host}`);
  await engine.kill("SIGTERM");
  await engine.boot();
  const refused = await pull();
  expect(refused.stderr).toContain("proxyconnect tcp: Proxy Authentication Required");
  expect(refused.stderr).toContain(`check the proxy http://xxxxx:xxxxx@${proxy.host}`);
  proxies("http://127.0.0.1:1");
  await engine.kill("SIGTERM");
  await engine.boot();
  expect((await pull()).stderr).toContain(
    "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused",
  );
});
