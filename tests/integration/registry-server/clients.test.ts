import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchiveFile, debianLayout } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { GantryRegistry } from "./gantry-registry.ts";

let registry: GantryRegistry;
const scratch = scratchDirectory("rc"); // podman takes no run root longer than 50 characters
const user = { name: "ann", password: "secret" };

beforeAll(async () => {
  registry = await GantryRegistry.start();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

const skopeo = (...args: string[]) =>
  mustRun(["skopeo", "--insecure-policy", ...args], { timeoutMs: 60_000 });

async function rawManifest(reference: string): Promise<string> {
  return await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${reference}`);
}

test("skopeo copies an image in and out, with equal digests", async () => {
  const [before, after] = [join(scratch, "in.digest"), join(scratch, "out.digest")];
  const image = `docker://${registry.host}/debian:ten`;
  await skopeo(
    "copy",
    "-q",
    "--dest-tls-verify=false",
    "--digestfile",
    before,
    `oci:${await debianLayout({ layers: 10 })}`,
    image,
  );
  await skopeo(
    "copy",
    "-q",
    "--src-tls-verify=false",
    "--digestfile",
    after,
    image,
    `oci:${join(scratch, "out")}:ten`,
  );
  expect(await Bun.file(after).text()).toBe(await Bun.file(before).text());
  // A second repository takes the layers by mount, and skopeo can delete what it pushed.
  const copy = `docker://${registry.host}/copy/debian:ten`;
  await skopeo("copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", image, copy);
  expect(JSON.parse(await skopeo("list-tags", "--tls-verify=false", copy.replace(":ten", ""))).Tags).toEqual([
    "ten",
  ]);
  await skopeo("delete", "--tls-verify=false", copy);
  expect((await registry.fetch("/v2/copy/debian/manifests/ten")).status).toBe(404);
}, 120_000);

describe("an engine", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await TestEngine.start({ name: "registry-server" });
    await skopeo(
      "copy",
      "-q",
      "--dest-tls-verify=false",
      `docker-archive:${await busyboxArchiveFile()}`,
      `docker://${registry.host}/busybox:v1`,
    );
  }, 60_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  test.each(clients)(
    "pulls from it with %s and runs what it pulled",
    async (client) => {
      const reference = `${registry.host}/busybox:v1`;
      const pulled = await engine.must(client, "pull", reference);
      const reply = await registry.fetch("/v2/busybox/manifests/v1", { method: "HEAD" });
      expect(pulled).toContain(`Digest: ${reply.headers.get("docker-content-digest")}`);
      expect(await engine.must(client, "run", "--rm", reference, "echo", "from here")).toBe("from here");
      await engine.must(client, "rmi", reference);
    },
    60_000,
  );

  test.each(clients)(
    "pushes to it with %s what it has pulled, with the same digest",
    async (client) => {
      const [from, to] = [`${registry.host}/busybox:v1`, `${registry.host}/${client}/busybox:v1`];
      await engine.must(client, "pull", from);
      await engine.must(client, "tag", from, to);
      await engine.must(client, "push", to);
      expect(await rawManifest(to)).toBe(await rawManifest(from));
      await engine.must(client, "rmi", from, to);
    },
    60_000,
  );
});

test.each(["podman", "buildah"])(
  "%s pushes to it and pulls the same image again",
  async (tool) => {
    const storage = join(scratch, tool);
    mkdirSync(storage);
    const place = [
      "--root",
      join(storage, "root"),
      "--runroot",
      join(storage, "run"),
      "--storage-driver",
      "vfs",
    ];
    const call = async (...args: string[]) =>
      (await mustRun([tool, ...place, ...args], { timeoutMs: 60_000 })).trim();
    const local = await call("pull", "-q", `docker-archive:${await busyboxArchiveFile()}`);
    const reference = `${registry.host}/${tool}/busybox:v2`;
    await call("push", "-q", "--tls-verify=false", local, reference);
    const { config } = JSON.parse(await rawManifest(reference));
    await call("rmi", "-f", local);
    const again = await call("pull", "-q", "--tls-verify=false", reference);
    expect(config.digest).toBe(`sha256:${again.replace("sha256:", "")}`);
  },
  120_000,
);

test("skopeo logs in", async () => {
  const file = join(scratch, "users");
  const hash = await Bun.password.hash(user.password, { algorithm: "bcrypt", cost: 4 });
  await Bun.write(file, `${user.name}:${hash}\n`);
  await using closed = await GantryRegistry.start(["--htpasswd", file]);
  const source = `docker-archive:${await busyboxArchiveFile()}`;
  const image = `docker://${closed.host}/busybox:v1`;
  const copy = (credentials: string) =>
    skopeo("copy", "-q", "--dest-tls-verify=false", "--dest-creds", credentials, source, image);
  await copy(`${user.name}:${user.password}`);
  await expect(copy(`${user.name}:wrong`)).rejects.toThrow("unauthorized");
}, 60_000);
