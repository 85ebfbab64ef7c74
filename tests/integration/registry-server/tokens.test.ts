import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { codeOf, type ErrorBody, GantryRegistry } from "./gantry-registry.ts";

const scratch = scratchDirectory("tk"); // podman takes no run root longer than 50 characters
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const basic = (user: string, password = `${user}-pw`) => ({
  Authorization: `Basic ${btoa(`${user}:${password}`)}`,
});
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

interface TokenAnswer {
  readonly token?: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly scope?: string;
}

const usersPath = join(scratch, "users");

async function writeUsers(suffix = "pw"): Promise<void> {
  const lines = ["ann", "bob"].map(
    async (user) =>
      `${user}:${await Bun.password.hash(`${user}-${suffix}`, { algorithm: "bcrypt", cost: 4 })}\n`,
  );
  writeFileSync(usersPath, (await Promise.all(lines)).join(""));
}

async function startWithUsers(): Promise<GantryRegistry> {
  await writeUsers();
  const list = join(scratch, "list");
  writeFileSync(list, "ann ** pull,push,delete\nbob team/** pull,push\nanonymous public/** pull\n");
  return await GantryRegistry.start(["--auth-token", "--htpasswd", usersPath, "--access-list", list]);
}

test("who has not logged in is told so, and not that a password is wrong", async () => {
  await writeUsers();
  await using registry = await GantryRegistry.start(["--auth-token", "--htpasswd", usersPath]);
  const message = async (headers: Record<string, string>) => {
    const reply = await registry.fetch("/token?scope=repository:app:pull", { headers });
    return [reply.status, ((await reply.json()) as ErrorBody).errors[0]?.message];
  };
  expect(await message({})).toEqual([401, "authentication required"]);
  expect(await message(basic("ann", "no"))).toEqual([401, "incorrect username or password"]);
}, 30_000);

describe("its own token server", () => {
  let registry: GantryRegistry;
  beforeAll(async () => {
    registry = await startWithUsers();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  async function tokenOf(user: string | undefined, scope: string): Promise<string> {
    const query = new URLSearchParams({ service: "gantry registry", scope });
    const reply = await registry.fetch(`/token?${query}`, { headers: user === undefined ? {} : basic(user) });
    expect(reply.status).toBe(200);
    return ((await reply.json()) as TokenAnswer).access_token;
  }
  const form = (fields: Record<string, string>) =>
    registry.fetch("/token", { method: "POST", body: new URLSearchParams(fields) });

  test("says in each refusal where which token is to be had", async () => {
    const realm = `Bearer realm="http://${registry.host}/token",service="gantry registry"`;
    const challenge = async (path: string, init: RequestInit = {}) => {
      const reply = await registry.fetch(path, init);
      expect([reply.status, await codeOf(reply)]).toEqual([401, "UNAUTHORIZED"]);
      return reply.headers.get("www-authenticate");
    };
    expect(await challenge("/v2/")).toBe(realm);
    const proxied = { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "images.example, inner" };
    expect(await challenge("/v2/", { headers: proxied })).toContain('realm="https://images.example/token"');
    const forged = { "X-Forwarded-Proto": "javascript", "X-Forwarded-Host": 'x",y="' };
    expect(await challenge("/v2/", { headers: forged })).toBe(realm);
    expect(await challenge("/v2/", { headers: basic("ann") })).toBe(`${realm},error="invalid_token"`);
    expect(await challenge("/v2/a/manifests/x")).toBe(`${realm},scope="repository:a:pull"`);
    expect(await challenge("/v2/a/blobs/uploads/", { method: "POST" })).toBe(
      `${realm},scope="repository:a:pull,push"`,
    );
    const weak = await tokenOf("bob", "repository:a:pull");
    expect(await challenge("/v2/a/manifests/x", { headers: bearer(weak) })).toBe(
      `${realm},scope="repository:a:pull",error="insufficient_scope"`,
    );
    const reply = await registry.fetch("/v2/a/manifests/x");
    expect(((await reply.json()) as { errors: { detail: unknown }[] }).errors[0]?.detail).toEqual([
      { Type: "repository", Class: "", Name: "a", Action: "pull" },
    ]);
  });

  test("a token is good for what was asked for and may be had, and for nothing else", async () => {
    const status = async (token: string, path: string, method = "GET") =>
      (await registry.fetch(path, { method, headers: bearer(token) })).status;
    const bob = await tokenOf("bob", "repository:team/x:pull,push,delete");
    expect(await status(bob, "/v2/")).toBe(200);
    expect(await status(bob, "/v2/team/x/manifests/v1")).toBe(404);
    expect(await status(bob, "/v2/team/x/manifests/v1", "DELETE")).toBe(401);
    expect(await status(bob, "/v2/team/y/manifests/v1")).toBe(401);
    expect(await status(bob, "/v2/_catalog")).toBe(401);
    expect(await status(await tokenOf("ann", "registry:catalog:*"), "/v2/_catalog")).toBe(200);
    const nobody = await tokenOf(undefined, "repository:public/x:pull,push");
    expect(await status(nobody, "/v2/public/x/manifests/v1")).toBe(404);
    expect(await status(nobody, "/v2/public/x/blobs/uploads/", "POST")).toBe(401);
  });

  test("a blob is mounted only from where its client may read", async () => {
    const ann = bearer(await tokenOf("ann", "repository:secret/x:pull,push"));
    const content = new Bun.CryptoHasher("sha256").update("hidden").digest("hex");
    const push = await registry.fetch(`/v2/secret/x/blobs/uploads/?digest=sha256:${content}`, {
      method: "POST",
      headers: ann,
      body: "hidden",
    });
    expect(push.status).toBe(201);
    const mount = async (scope: string, user: string, from = "&from=secret/x") =>
      registry.fetch(`/v2/team/x/blobs/uploads/?mount=sha256:${content}${from}`, {
        method: "POST",
        headers: bearer(await tokenOf(user, scope)),
      });
    const scope = "repository:team/x:pull,push repository:secret/x:pull";
    expect((await mount(scope, "bob")).status).toBe(202); // an ordinary upload
    expect((await mount(scope, "bob", "")).status).toBe(202); // found, but not by him
    expect((await mount("repository:team/x:pull,push", "ann", "")).status).toBe(202); // nor with this token
    expect((await mount(scope, "ann")).status).toBe(201);
  });

  test("OAuth2: by password, then by refresh token, until the password is another one", async () => {
    const common = { service: "gantry registry", client_id: "test", scope: "repository:team/x:pull,delete" };
    const first = await form({
      ...common,
      grant_type: "password",
      username: "bob",
      password: "bob-pw",
      access_type: "offline",
    });
    const answer = (await first.json()) as TokenAnswer;
    expect([first.status, answer.scope, answer.expires_in]).toEqual([200, "repository:team/x:pull", 300]);
    const again = await form({
      ...common,
      grant_type: "refresh_token",
      refresh_token: answer.refresh_token ?? "",
    });
    const { access_token } = (await again.json()) as TokenAnswer;
    const read = (token: string) => registry.fetch("/v2/team/x/tags/list", { headers: bearer(token) });
    expect((await read(access_token)).status).toBe(200);
    expect((await read(answer.refresh_token ?? "")).status).toBe(401); // it opens nothing itself
    for (const [fields, status] of [
      [{ grant_type: "refresh_token", refresh_token: access_token }, 401],
      [{ grant_type: "password", username: "bob", password: "no" }, 401],
      [{ grant_type: "client_credentials" }, 400],
      [{ grant_type: "password", username: "bob", password: "bob-pw", service: "other" }, 400],
    ] as const)
      expect((await form({ ...common, ...fields })).status).toBe(status);
    await registry.kill();
    await writeUsers("changed");
    await registry.boot(registry.args);
    const stale = { grant_type: "refresh_token", refresh_token: answer.refresh_token ?? "" };
    expect((await form({ ...common, ...stale })).status).toBe(401);
    await registry.kill();
    await writeUsers();
    await registry.boot(registry.args);
  });

  test("a wrong password gets no token, also not an anonymous one", async () => {
    const reply = await registry.fetch("/token?scope=repository:public/x:pull", {
      headers: basic("ann", "no"),
    });
    expect([reply.status, await codeOf(reply)]).toEqual([401, "UNAUTHORIZED"]);
    const other = await registry.fetch("/token", { method: "DELETE" });
    expect([other.status, other.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    const giant = { method: "POST", body: new URLSearchParams({ grant_type: "x".repeat(70_000) }) };
    expect((await registry.fetch("/token", giant)).status).toBe(400);
  });

  test("tokens outlive a restart: the key is kept, for root alone", async () => {
    const token = await tokenOf("ann", "");
    await registry.kill();
    await registry.boot(registry.args);
    expect((await registry.fetch("/v2/", { headers: bearer(token) })).status).toBe(200);
    const mode = (await mustRun(["stat", "-c", "%a", join(registry.root, "token-key.pem")])).trim();
    expect(mode).toBe("600");
  });

  describe("an engine", () => {
    let engine: TestEngine;
    beforeAll(async () => {
      engine = await TestEngine.start({ name: "registry-tokens" });
      await engine.load(Bun.file(await busyboxArchiveFile()));
    }, 60_000);
    afterAll(() => engine[Symbol.asyncDispose]());

    test.each(clients)(
      "logs in with %s, pushes, pulls, and is refused what its user may not",
      async (client) => {
        const config = join(scratch, `config-${client}`);
        mkdirSync(config);
        const env = { DOCKER_CONFIG: config };
        const run = (args: readonly string[], input?: string) =>
          engine[client](args, { env, timeoutMs: 60_000, ...(input !== undefined && { input }) });
        const login = ["login", "-u", "bob", "--password-stdin", registry.host];
        expect((await run(login, "wrong")).exitCode).toBe(1);
        expect(await run(login, "bob-pw")).toMatchObject({ exitCode: 0 });
        const [local] = (await engine.json("GET", "/images/json")) as { Id: string }[];
        const [mine, foreign] = [
          `${registry.host}/team/${client}:v1`,
          `${registry.host}/others/${client}:v1`,
        ];
        await run(["tag", local?.Id ?? "", mine]);
        await run(["tag", local?.Id ?? "", foreign]);
        expect(await run(["push", mine])).toMatchObject({ exitCode: 0 });
        const refused = await run(["push", foreign]);
        expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("denied") });
        await run(["rmi", mine, foreign]);
        expect(await run(["pull", "-q", mine])).toMatchObject({ exitCode: 0 });
        expect(await run(["logout", registry.host])).toMatchObject({ exitCode: 0 });
        expect((await run(["pull", mine])).exitCode).toBe(1);
      },
      120_000,
    );
  });

  test("skopeo and podman log in, push and pull; a public image needs no login", async () => {
    const archive = `docker-archive:${await busyboxArchiveFile()}`;
    const authfile = join(scratch, "auth.json");
    const image = `docker://${registry.host}/public/busybox:v1`;
    const skopeo = (...args: string[]) =>
      command(["skopeo", "--insecure-policy", ...args], { timeoutMs: 60_000 });
    const login = [
      "login",
      "--tls-verify=false",
      "--authfile",
      authfile,
      "-u",
      "ann",
      "-p",
      "ann-pw",
      registry.host,
    ];
    expect(await skopeo(...login)).toMatchObject({ exitCode: 0 });
    const copy = ["copy", "-q", "--dest-tls-verify=false", "--authfile", authfile, archive, image];
    expect(await skopeo(...copy)).toMatchObject({ exitCode: 0 });
    const inspect = ["inspect", "--tls-verify=false", "--no-creds"];
    expect(await skopeo(...inspect, image)).toMatchObject({ exitCode: 0 });
    expect((await skopeo(...inspect, image.replace("public", "team"))).exitCode).not.toBe(0);
    const storage = join(scratch, "podman");
    const place = [
      "--root",
      join(storage, "root"),
      "--runroot",
      join(storage, "run"),
      "--storage-driver",
      "vfs",
    ];
    const podman = (...args: string[]) => mustRun(["podman", ...place, ...args], { timeoutMs: 60_000 });
    const auth = ["--tls-verify=false", "--authfile", authfile];
    await podman("pull", "-q", ...auth, `${registry.host}/public/busybox:v1`);
    await podman(
      "push",
      "-q",
      ...auth,
      `${registry.host}/public/busybox:v1`,
      `${registry.host}/new/busybox:v2`,
    );
    const pulled = await podman("pull", "-q", ...auth, `${registry.host}/new/busybox:v2`);
    expect(pulled.trim()).toMatch(/^[0-9a-f]{64}$/);
    // skopeo asks for every right at once.
    expect(await skopeo("delete", ...auth, image)).toMatchObject({ exitCode: 0 });
  }, 120_000);
});

describe("another token server", () => {
  const path = (name: string) => join(scratch, name);
  beforeAll(async () => {
    const openssl = (...args: string[]) => mustRun(["openssl", ...args]);
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    for (const name of ["root", "false-root"])
      await openssl(
        "req",
        "-x509",
        ...key,
        "-keyout",
        path(`${name}.key`),
        "-out",
        path(`${name}.pem`),
        "-days",
        "2",
        "-subj",
        `/CN=${name}`,
      );
    for (const [name, issuer] of [
      ["leaf", "root"],
      ["false-leaf", "false-root"],
    ]) {
      await openssl(
        "req",
        ...key,
        "-keyout",
        path(`${name}.key`),
        "-out",
        path(`${name}.csr`),
        "-subj",
        `/CN=${name}`,
      );
      await openssl(
        "x509",
        "-req",
        "-in",
        path(`${name}.csr`),
        "-CA",
        path(`${issuer}.pem`),
        "-CAkey",
        path(`${issuer}.key`),
        "-CAcreateserial",
        "-out",
        path(`${name}.pem`),
        "-days",
        "2",
      );
    }
  });

  function tokenBy(signer: string, header: object, access: object[] = []): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: "tokens.example",
      sub: "ann",
      aud: "shop",
      exp: now + 60,
      nbf: now,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const signed = [{ typ: "JWT", alg: "ES256", ...header }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const key = createPrivateKey(readFileSync(path(`${signer}.key`)));
    return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }
  const der = (name: string) => new X509Certificate(readFileSync(path(`${name}.pem`))).raw.toString("base64");
  const server = ["--auth-token-realm", "https://tokens.example/token", "--auth-token-service", "shop"];

  test("its certificates are trusted as chains; what others sign is not", async () => {
    await using registry = await GantryRegistry.start([
      ...[...server, "--auth-token-issuer", "tokens.example", "--auth-token-root-cert", path("root.pem")],
    ]);
    const status = async (token: string, target = "/v2/") =>
      (await registry.fetch(target, { headers: bearer(token) })).status;
    expect(await status(tokenBy("leaf", { x5c: [der("leaf")] }))).toBe(200);
    expect(await status(tokenBy("leaf", { x5c: [der("leaf"), der("root")] }))).toBe(200);
    expect(await status(tokenBy("root", { x5c: [der("root")] }))).toBe(200);
    expect(await status(tokenBy("false-leaf", { x5c: [der("false-leaf"), der("false-root")] }))).toBe(401);
    expect(await status(tokenBy("false-leaf", { x5c: [der("leaf")] }))).toBe(401); // somebody else's certificate
    expect(await status(tokenBy("leaf", { x5c: [] }))).toBe(401);
    expect(await status(tokenBy("leaf", { x5c: ["nonsense"] }))).toBe(401);
    const pull = [{ type: "repository", class: "", name: "a", actions: ["pull"] }];
    expect(await status(tokenBy("leaf", { x5c: [der("leaf")] }, pull), "/v2/a/manifests/x")).toBe(404);
    const refused = await registry.fetch("/v2/a/manifests/x");
    expect(refused.headers.get("www-authenticate")).toBe(
      'Bearer realm="https://tokens.example/token",service="shop",scope="repository:a:pull"',
    );
    expect((await registry.fetch("/token", { headers: basic("ann") })).status).toBe(401); // it is not this one
  });
});

test("with an access list passwords alone open what it says, 403 for the rest", async () => {
  const [users, list] = [join(scratch, "users-b"), join(scratch, "list-b")];
  writeFileSync(users, `bob:${await Bun.password.hash("bob-pw", { algorithm: "bcrypt", cost: 4 })}\n`);
  writeFileSync(list, "bob team/** pull,push\n");
  await using registry = await GantryRegistry.start(["--htpasswd", users, "--access-list", list]);
  const status = async (path: string, method = "GET") =>
    (await registry.fetch(path, { method, headers: basic("bob") })).status;
  expect(await status("/v2/team/x/manifests/v1")).toBe(404);
  expect(await status("/v2/other/manifests/v1")).toBe(403);
  expect(await status("/v2/team/x/manifests/v1", "DELETE")).toBe(403);
  expect(await status("/v2/_catalog")).toBe(403);
});
