import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { command, mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { gantryPath, scratchDirectory } from "../../fixtures/places.ts";
import { freePort } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const scratch = scratchDirectory("engine-registry");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("the registry inside an engine", () => {
  let engine: TestEngine;
  let host: string;
  beforeAll(async () => {
    host = `127.0.0.1:${await freePort()}`;
    engine = await TestEngine.start({
      name: "engine-registry",
      args: ["--registry", host],
    });
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  const blobs = () => readdirSync(join(engine.root, "content/blobs/sha256")).sort();
  const filesBelow = async (directory: string, size: string) =>
    (await mustRun(["find", join(engine.root, directory), "-type", "f", "-size", size])).trim();
  const collect = (...args: string[]) =>
    mustRun([gantryPath, "registry", "gc", "--root", join(engine.root, "registry"), ...args]);
  const fetchManifest = (name: string, init: RequestInit = {}) =>
    fetch(`http://${host}/v2/${name}/manifests/v1`, {
      headers: { Accept: "application/vnd.docker.distribution.manifest.v2+json" },
      ...init,
    });

  test.each(clients)(
    "%s pushes to it: no blob is there twice, and it stays when the image goes, and the other way round",
    async (client) => {
      await engine.load(Bun.file(await busyboxArchiveFile()));
      const before = blobs();
      const [{ Id: id = "" } = {}] = (await engine.json("GET", "/images/json")) as { Id: string }[];
      const reference = `${host}/${client}/busybox:v1`;
      await engine.must(client, "tag", id, reference);
      await engine.must(client, "push", "-q", reference);
      expect(await filesBelow("registry", "+4k")).toBe(""); // no layer but in the content store
      const { layers } = (await (await fetchManifest(`${client}/busybox`)).json()) as {
        layers: { digest: string }[];
      };
      const layer = layers[0]?.digest.slice("sha256:".length) ?? "";
      expect(blobs()).toContain(layer);

      // The image goes, with all its names; the registry's blobs stay.
      await engine.must(client, "rmi", "-f", id);
      await engine.must(client, "image", "prune", "-af");
      expect(blobs()).toContain(layer);
      await engine.must(client, "pull", "-q", reference);
      expect(await engine.must(client, "run", "--rm", reference, "echo", "again")).toBe("again");

      // The repository's go; the image's stay.
      const digest = (await fetchManifest(`${client}/busybox`)).headers.get("docker-content-digest");
      const deleted = await fetch(`http://${host}/v2/${client}/busybox/manifests/${digest}`, {
        method: "DELETE",
      });
      expect(deleted.status).toBe(202);
      expect(await collect("--grace", "0s")).toContain(`${client}/busybox\tblob sha256:${layer}`);
      expect(await engine.must(client, "run", "--rm", reference, "echo", "still")).toBe("still");
      await engine.must(client, "rmi", "-f", reference);
      expect(blobs().filter((name) => !before.includes(name))).toEqual([]);
      expect(blobs()).not.toContain(layer);
    },
    90_000,
  );

  test("an engine without --registry keeps what was pushed while it had one", async () => {
    await engine.load(Bun.file(await busyboxArchiveFile()));
    const [{ Id: id = "" } = {}] = (await engine.json("GET", "/images/json")) as { Id: string }[];
    const reference = `${host}/kept/busybox:v1`;
    await engine.must("gantry", "tag", id, reference);
    await engine.must("gantry", "push", "-q", reference);
    const manifest = await (await fetchManifest("kept/busybox")).text();
    await engine.kill();
    const args = engine.extraArgs.splice(0);
    await engine.boot();
    await expect(fetch(`http://${host}/v2/`)).rejects.toThrow();
    await engine.must("gantry", "rmi", "-f", id);
    await engine.kill("SIGTERM");
    engine.extraArgs.push(...args);
    await engine.boot();
    await engine.json("GET", "/info"); // a ping is answered before the registry is
    expect(await (await fetchManifest("kept/busybox")).text()).toBe(manifest);
    await mustRun([
      ...["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false"],
      ...[`docker://${reference}`, `dir:${join(scratch, "copy")}`],
    ]);
  }, 60_000);

  test("nobody else opens its directory", async () => {
    const directory = join(engine.root, "registry");
    await engine.kill("SIGTERM");
    for (const args of [["gc"], ["serve", "--addr", "127.0.0.1:0"]]) {
      const { exitCode, stderr } = await command([gantryPath, "registry", ...args, "--root", directory]);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining("belongs to an engine")]);
    }
    await engine.boot();
  });
});

test("SIGHUP lets the engine's registry read its users again", async () => {
  const users = join(scratch, "users");
  const write = (name: string) =>
    Bun.write(users, `${name}:${Bun.password.hashSync("secret", { algorithm: "bcrypt", cost: 4 })}\n`);
  await write("ann");
  const host = `127.0.0.1:${await freePort()}`;
  await using engine = await TestEngine.start({
    name: "engine-registry-users",
    args: ["--registry", host, "--registry-opt", `htpasswd=${users}`],
  });
  await engine.json("GET", "/info"); // a ping is answered before the registry is
  const status = async (name: string) =>
    (await fetch(`http://${host}/v2/`, { headers: { Authorization: `Basic ${btoa(`${name}:secret`)}` } }))
      .status;
  expect([await status("ann"), await status("bob")]).toEqual([200, 401]);
  await write("bob");
  process.kill(engine.pid, "SIGHUP");
  await waitFor("the new user to be let in", async () => (await status("bob")) === 200);
  expect(await status("ann")).toBe(401);
}, 30_000);
