import { afterAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, mustRun } from "../../fixtures/command.ts";
import { gantryPath, scratchDirectory } from "../../fixtures/places.ts";
import { codeOf, GantryRegistry, pushBlob } from "./gantry-registry.ts";

const scratch = scratchDirectory("registry-access");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function htpasswd(...users: string[]): Promise<string> {
  const path = join(scratch, "htpasswd");
  const lines = await Promise.all(
    users.map(
      async (user) =>
        `${user}:${await Bun.password.hash(`${user}:secret`, { algorithm: "bcrypt", cost: 4 })}`,
    ),
  );
  writeFileSync(path, `# users\n\n${lines.join("\n")}\n`);
  return path;
}

const basic = (user: string, password: string) => ({ Authorization: `Basic ${btoa(`${user}:${password}`)}` });

test("--htpasswd lets in only those who know their password", async () => {
  await using registry = await GantryRegistry.start(["--htpasswd", await htpasswd("ann", "bob")]);
  const refused = await registry.fetch("/v2/");
  expect([refused.status, await codeOf(refused)]).toEqual([401, "UNAUTHORIZED"]);
  expect(refused.headers.get("www-authenticate")).toStartWith("Basic realm=");
  const status = async (headers: Record<string, string>) =>
    (await registry.fetch("/v2/", { headers })).status;
  expect(await status(basic("bob", "bob:secret"))).toBe(200);
  expect(await status(basic("bob", "bob:secret"))).toBe(200); // remembered
  expect(await status(basic("bob", "ann:secret"))).toBe(401);
  expect(await status(basic("eve", "ann:secret"))).toBe(401); // a right password of somebody else
  expect(await status({ Authorization: "Bearer ann" })).toBe(401);
  const upload = await registry.fetch("/v2/a/blobs/uploads/", { method: "POST", body: "x".repeat(100_000) });
  expect(upload.status).toBe(401);
}, 30_000);

test("--read-only serves and refuses every change", async () => {
  await using registry = await GantryRegistry.start();
  const digest = await pushBlob(registry, "app", "content");
  await registry.kill("SIGTERM");
  await registry.boot(["--read-only"]);
  expect((await registry.fetch(`/v2/app/blobs/${digest}`)).status).toBe(200);
  for (const [method, path] of [
    ["POST", "/v2/app/blobs/uploads/"],
    ["PUT", "/v2/app/manifests/v1"],
    ["DELETE", `/v2/app/blobs/${digest}`],
  ] as const) {
    const reply = await registry.fetch(path, { method });
    expect([reply.status, await codeOf(reply)]).toEqual([405, "UNSUPPORTED"]);
  }
}, 30_000);

async function makeCertificate(name: string) {
  const [cert, key] = [join(scratch, `${name}.cert.pem`), join(scratch, `${name}.key.pem`)];
  await mustRun([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=127.0.0.1"],
  ]);
  return { cert, key };
}

test("SIGHUP reads users and rights again; what is wrong changes nothing", async () => {
  const [users, list] = [await htpasswd("ann"), join(scratch, "list")];
  writeFileSync(list, "* ** pull\n");
  await using registry = await GantryRegistry.start(["--htpasswd", users, "--access-list", list]);
  const status = async (user: string, method = "GET", path = "/v2/") =>
    (await registry.fetch(path, { method, headers: basic(user, `${user}:secret`) })).status;
  const push = (user: string) => status(user, "POST", "/v2/app/blobs/uploads/");
  expect([await status("ann"), await status("bob"), await push("ann")]).toEqual([200, 401, 403]);
  await htpasswd("bob", "carl");
  writeFileSync(list, "* ** pull,push\n");
  expect(await status("bob")).toBe(401); // not before it is told
  await registry.reload();
  expect([await status("ann"), await status("bob"), await push("carl")]).toEqual([401, 200, 202]);
  writeFileSync(users, "bob:secret\n");
  await registry.reload();
  expect(await registry.log()).toContain("not a bcrypt hash");
  expect(await status("bob")).toBe(200);
}, 30_000);

test("--tls-cert and --tls-key serve HTTPS", async () => {
  const { cert, key } = await makeCertificate("served");
  await using registry = await GantryRegistry.start(["--tls-cert", cert, "--tls-key", key], "https");
  const digest = await pushBlob(registry, "app", "x".repeat(3_000_000));
  const reply = await registry.fetch(`/v2/app/blobs/${digest}`);
  expect((await reply.text()).length).toBe(3_000_000);
}, 30_000);

describe("refuses to start", () => {
  const serve = (...args: string[]) => command([gantryPath, "registry", "serve", ...args]);
  const root = ["--root", join(scratch, "root")];

  test.each([
    [["--addr", "0.0.0.0:0"], "without TLS only this machine is served"],
    [["--addr", ":0"], "without TLS only this machine is served"],
    [["--addr", "somewhere:80"], "expected an IP address and a port"],
    [["--tls-cert", "/x"], "belong together"],
    [["--proxy", "example"], "--proxy example: expected https://HOST[:PORT]"],
    [["--proxy", "https://user:pw@example"], "--proxy-password-file"],
    [["--proxy-ttl", "1h"], "--proxy-ttl without --proxy"],
    [["--proxy", "https://example", "--proxy-username", "ann"], "--proxy-username ann: no password"],
    [["--auth-token"], "nobody is known who could log in"],
    [["--access-list", "/x"], "nobody is known who could log in"],
    [["--htpasswd", "/x", "--auth-token-issuer", "x"], "--auth-token-issuer needs --auth-token"],
    [["--htpasswd", "/x", "--auth-token-jwks", "/x"], "--htpasswd: the other token server knows the users"],
    [["--auth-token-jwks", "/x"], "--auth-token-realm is missing"],
    [["--auth-token-jwks", "/x", "--auth-token-realm", "x"], "expected an http or https URL"],
    [["--gc-interval", "1"], "--gc-interval 1: expected a duration"],
    [["--gc-interval", "1ms"], "--gc-interval 1ms: shorter than a second"],
    [["--gc-interval", "1h", "--gc-grace=-1h"], "--gc-grace -1h: expected a duration"],
  ])("%j", async (args, message) => {
    const { exitCode, stderr } = await serve(...root, ...args);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test.each([
    [[], "--root is missing", "for instance: --root /srv/images"],
    [["--root", "images"], "--root images: not an absolute directory", ""],
    [["--root", "/etc/hostname"], "--root /etc/hostname: it is not a directory", ""],
    [["--root", "/proc/none/x"], "--root /proc/none/x: ENOENT", ""],
    [
      [...root, "--proxy", "https://example", "--proxy-certs-dir", "/none"],
      "--proxy-certs-dir /none: ENOENT",
      "",
    ],
    [[...root, "--htpasswd", "/none"], "read /none: ENOENT", ""],
    [[...root, "--htpasswd", "/dev/null"], "/dev/null: nobody is in it who could log in", "htpasswd -B"],
  ])("%j, and says what to do", async (args, message, hint) => {
    const { exitCode, stderr } = await serve("--addr", "127.0.0.1:0", ...args);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(stderr).toContain(hint);
  });

  test("on a port that is taken", async () => {
    await using registry = await GantryRegistry.start();
    const { exitCode, stderr } = await serve(...root, "--addr", registry.host);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(`listen on ${registry.host}: it is in use`),
    ]);
    expect(stderr).toContain("choose another port");
  });

  test("with a certificate or a key that is none, or that do not belong together", async () => {
    const [mine, other] = [await makeCertificate("mine"), await makeCertificate("other")];
    for (const [cert, key, message] of [
      ["/etc/hostname", mine.key, "--tls-cert /etc/hostname: no certificate in PEM form"],
      [mine.cert, mine.cert, `--tls-key ${mine.cert}: no private key in PEM form`],
      [mine.cert, other.key, `--tls-key ${other.key}: not the key of the certificate in ${mine.cert}`],
      ["/none", mine.key, "read /none: ENOENT"],
    ] as const) {
      const tls = ["--tls-cert", cert, "--tls-key", key];
      const { exitCode, stderr } = await serve(...root, "--addr", "127.0.0.1:0", ...tls);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
  });

  test("with half a key for its tokens, and makes another when that is gone", async () => {
    const directory = join(scratch, "half-key");
    const key = join(directory, "token-key.pem");
    const args = ["--root", directory, "--htpasswd", await htpasswd("ann"), "--auth-token", "--addr"];
    await using registry = await GantryRegistry.start();
    const serveInVain = () => serve(...args, registry.host); // gets as far as the port, which is taken
    expect((await serveInVain()).stderr).toContain("it is in use");
    const made = await Bun.file(key).text();
    expect(made).toEndWith("-----END PRIVATE KEY-----\n");
    await Bun.write(key, made.slice(0, 40));
    const { stderr } = await serveInVain();
    expect(stderr).toContain(`${key}: not a private key`);
    expect(stderr).toContain("move it away");
    rmSync(key);
    expect((await serveInVain()).stderr).toContain("it is in use");
  });

  test("a command that there is not, by its name", async () => {
    const { exitCode, stderr } = await command([gantryPath, "registry", "server"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("unknown command: server")]);
  });

  test("with passwords that are not bcrypt", async () => {
    const path = join(scratch, "weak");
    writeFileSync(path, "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n");
    const { exitCode, stderr } = await serve(...root, "--addr", "127.0.0.1:0", "--htpasswd", path);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("line 1: not a bcrypt hash")]);
  });

  test("on the directory of something else, and leaves that alone", async () => {
    const other = join(scratch, "other");
    await Bun.write(join(other, "content/blobs/sha256/x"), "precious");
    const { exitCode, stderr } = await serve("--root", other, "--addr", "127.0.0.1:0");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("is not a registry's directory")]);
    expect(await Bun.file(join(other, "content/blobs/sha256/x")).text()).toBe("precious");
  });

  test("twice on one directory", async () => {
    await using registry = await GantryRegistry.start();
    const { exitCode, stderr } = await serve("--root", registry.root, "--addr", "127.0.0.1:0");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("another registry uses")]);
  });
});

test.each([
  ["127.0.0.1:0", false],
  ["0.0.0.0:0", true],
])("--insecure on %s warns: %p", async (address, warns) => {
  const root = join(scratch, address);
  const child = Bun.spawn(
    [gantryPath, "registry", "serve", "--addr", address, "--insecure", "--root", root],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    log += text;
    if (text.includes("registry.listening")) child.kill("SIGTERM"); // once: a second one would not be gentle
  }
  expect([await child.exited, log.includes("WARNING: --insecure")]).toEqual([0, warns]);
});
