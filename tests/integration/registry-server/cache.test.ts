import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchiveFile, debianLayout } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import {
  codeOf,
  digestOf,
  GantryRegistry,
  makeManifest,
  manifestType,
  putManifest,
} from "./gantry-registry.ts";

const scratch = scratchDirectory("pc"); // podman takes no run root longer than 50 characters
const storage = join(scratch, "upstream");
let upstream: TestRegistry;

beforeAll(async () => {
  upstream = await TestRegistry.start({ storage });
  await copyIn(upstream, `docker-archive:${await busyboxArchiveFile()}`, "library/busybox:v1");
}, 60_000);
afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

const skopeo = (...args: string[]) =>
  mustRun(["skopeo", "--insecure-policy", ...args], { timeoutMs: 60_000 });
const copyIn = (to: TestRegistry, source: string, name: string) =>
  skopeo("copy", "-q", "--dest-tls-verify=false", source, `docker://${to.host}/${name}`);
const rawManifest = (host: string, name: string) =>
  skopeo("inspect", "--raw", "--tls-verify=false", `docker://${host}/${name}`);
const startCache = (of: TestRegistry, ...args: string[]) =>
  GantryRegistry.start(["--proxy", `http://${of.host}`, ...args]);

test("skopeo copies through it what is upstream, digest for digest; without the upstream it serves what it has", async () => {
  const own = await TestRegistry.start();
  await copyIn(own, `oci:${await debianLayout({ layers: 10 })}`, "debian:ten");
  await using cache = await startCache(own);
  const copy = (name: string) =>
    skopeo(
      "copy",
      "-q",
      "--src-tls-verify=false",
      `docker://${cache.host}/debian:ten`,
      `oci:${join(scratch, name)}:ten`,
    );
  await copy("first");
  const expected = await rawManifest(own.host, "debian:ten");
  expect(await rawManifest(cache.host, "debian:ten")).toBe(expected);
  const tags = async () =>
    (await (await cache.fetch("/v2/debian/tags/list")).json()) as { name: string; tags: string[] };
  expect(await tags()).toEqual({ name: "debian", tags: ["ten"] });

  await own[Symbol.asyncDispose]();
  await copy("second");
  expect(await rawManifest(cache.host, "debian:ten")).toBe(expected);
  expect(await tags()).toEqual({ name: "debian", tags: ["ten"] });
  const unknown = await cache.fetch("/v2/debian/manifests/eleven");
  expect([unknown.status, await codeOf(unknown)]).toEqual([503, "UNAVAILABLE"]);
  const blobs = (name: string) => readdirSync(join(scratch, name, "blobs/sha256")).sort();
  expect(blobs("second")).toEqual(blobs("first"));
}, 90_000);

test("a tag means what it means upstream now, and is gone when it is gone there", async () => {
  await using cache = await startCache(upstream);
  const put = async (text: string) => {
    const digest = digestOf("{}");
    await fetch(`http://${upstream.host}/v2/moving/blobs/uploads/`, { method: "POST" }).then((reply) =>
      fetch(`${reply.headers.get("location")}&digest=${digest}`, { method: "PUT", body: "{}" }),
    );
    const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
    const manifest = JSON.stringify({
      ...{ schemaVersion: 2, mediaType: manifestType, config, layers: [] },
      annotations: { text },
    });
    const reply = await fetch(`http://${upstream.host}/v2/moving/manifests/v1`, {
      method: "PUT",
      headers: { "Content-Type": manifestType },
      body: manifest,
    });
    expect(reply.status).toBe(201);
    return manifest;
  };
  const get = async () => await (await cache.fetch("/v2/moving/manifests/v1")).text();
  for (const text of ["one", "two"]) {
    const manifest = await put(text);
    expect(await get()).toBe(manifest);
    if (text === "one") continue;
    const digest = digestOf(manifest);
    await fetch(`http://${upstream.host}/v2/moving/manifests/${digest}`, { method: "DELETE" });
  }
  const reply = await cache.fetch("/v2/moving/manifests/v1");
  expect([reply.status, await codeOf(reply)]).toEqual([404, "MANIFEST_UNKNOWN"]);
}, 30_000);

test("what is not upstream is told as that; without the upstream nothing is told that is not known", async () => {
  await using own = await TestRegistry.start();
  await copyIn(own, `docker-archive:${await busyboxArchiveFile()}`, "app:v1");
  await using cache = await startCache(own);
  const answer = async (path: string, method = "GET") => {
    const reply = await cache.fetch(path, { method });
    return [reply.status, method === "HEAD" ? undefined : await codeOf(reply)];
  };
  const [nowhere, referrers] = [digestOf("nowhere"), `/v2/app/referrers/${digestOf("x")}`];
  for (const name of ["app", "unknown"]) {
    expect(await answer(`/v2/${name}/blobs/${nowhere}`)).toEqual([404, "BLOB_UNKNOWN"]);
    expect(await answer(`/v2/${name}/blobs/${nowhere}`, "HEAD")).toEqual([404, undefined]);
    expect(await answer(`/v2/${name}/manifests/none`)).toEqual([404, "MANIFEST_UNKNOWN"]);
  }
  expect(await answer("/v2/unknown/tags/list")).toEqual([404, "NAME_UNKNOWN"]);
  expect(await answer(referrers)).toEqual([404, "NAME_UNKNOWN"]); // Debian's has no such list: clients look at tags
  await own.kill();
  for (const path of [
    `/v2/app/blobs/${nowhere}`,
    "/v2/app/manifests/none",
    "/v2/unknown/tags/list",
    referrers,
  ])
    expect(await answer(path)).toEqual([503, "UNAVAILABLE"]);
}, 30_000);

test("of another gantry registry it has the referrers, filtered and in pages", async () => {
  await using own = await GantryRegistry.start();
  const subject = { mediaType: manifestType, digest: digestOf("subject"), size: 1 };
  for (const artifactType of ["application/x.one", "application/x.two"])
    for (const which of ["a", "b"]) {
      const manifest = await makeManifest(own, "app", { subject, artifactType, annotations: { which } });
      expect((await putManifest(own, "app", digestOf(manifest), manifest)).status).toBe(201);
    }
  await using cache = await GantryRegistry.start(["--proxy", `http://${own.host}`]);
  const found: string[] = [];
  let path: string | undefined = `/v2/app/referrers/${subject.digest}?artifactType=application/x.one&n=1`;
  for (; path !== undefined; ) {
    const reply = await cache.fetch(path);
    expect([reply.status, reply.headers.get("oci-filters-applied")]).toEqual([200, "artifactType"]);
    found.push(
      ...((await reply.json()) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest),
    );
    path = /^<(\/v2\/[^>]+)>; rel="next"$/.exec(reply.headers.get("link") ?? "")?.[1];
  }
  expect(found).toHaveLength(2);
  for (const digest of found) expect((await cache.fetch(`/v2/app/manifests/${digest}`)).status).toBe(200);
}, 30_000);

test("refuses pushes and deletes", async () => {
  await using cache = await startCache(upstream);
  for (const [method, path] of [
    ["POST", "/v2/library/busybox/blobs/uploads/"],
    ["DELETE", "/v2/library/busybox/manifests/v1"],
  ] as const) {
    const reply = await cache.fetch(path, { method });
    expect([reply.status, await codeOf(reply)]).toEqual([405, "UNSUPPORTED"]);
  }
});

test("logs in upstream with a password from a file, and never tells it", async () => {
  await using closed = await TestRegistry.start({
    credentials: { username: "ann", password: "hush" },
    storage,
  });
  const file = join(scratch, "password");
  writeFileSync(file, "hush\n");
  const login = ["--proxy-username", "ann", "--proxy-password-file", file];
  await using cache = await startCache(closed, ...login);
  expect((await cache.fetch("/v2/library/busybox/manifests/v1")).status).toBe(200);
  writeFileSync(file, "wrong");
  await using refused = await startCache(closed, ...login);
  const reply = await refused.fetch("/v2/library/busybox/manifests/v1");
  expect([reply.status, await codeOf(reply)]).toEqual([403, "DENIED"]);
}, 30_000);

test("what nobody asks for goes after --proxy-ttl, and comes again when somebody does", async () => {
  await using cache = await startCache(upstream, "--proxy-ttl", "1s", "--gc-interval", "1s");
  const get = () => cache.fetch("/v2/library/busybox/manifests/v1");
  const { config } = (await (await get()).json()) as { config: { digest: string } };
  expect((await cache.fetch(`/v2/library/busybox/blobs/${config.digest}`)).status).toBe(200);
  await waitFor(
    "the cache to be empty",
    () => readdirSync(join(cache.root, "content/blobs/sha256")).length === 0,
  );
  expect((await cache.fetch(`/v2/library/busybox/blobs/${config.digest}`)).status).toBe(200);
  expect((await get()).status).toBe(200);
}, 30_000);

test("an engine has it as a mirror of Docker Hub, and pulls with both clients", async () => {
  await using cache = await startCache(upstream);
  await using engine = await TestEngine.start({
    name: "registry-cache",
    args: ["--registry-mirror", `http://${cache.host}`],
  });
  for (const client of clients) {
    await engine.must(client, "pull", "busybox:v1");
    expect(await engine.must(client, "run", "--rm", "busybox:v1", "echo", client)).toBe(client);
    await engine.must(client, "rmi", "busybox:v1");
  }
  await engine.must("docker", "pull", `${cache.host}/library/busybox:v1`);
}, 60_000);

test("podman has it as a mirror", async () => {
  await using cache = await startCache(upstream);
  const config = join(scratch, "registries.conf");
  writeFileSync(
    config,
    `[[registry]]\nlocation = "images.example"\n[[registry.mirror]]\nlocation = "${cache.host}/library"\ninsecure = true\n`,
  );
  const place = ["--root", join(scratch, "p"), "--runroot", join(scratch, "r"), "--storage-driver", "vfs"];
  const { exitCode, stdout, stderr } = await command(
    ["podman", ...place, "pull", "-q", "images.example/busybox:v1"],
    {
      env: { CONTAINERS_REGISTRIES_CONF: config },
      timeoutMs: 60_000,
    },
  );
  expect([exitCode, stderr]).toEqual([0, ""]);
  const { config: wanted } = JSON.parse(await rawManifest(upstream.host, "library/busybox:v1"));
  expect(`sha256:${stdout.trim()}`).toBe(wanted.digest);
}, 60_000);
