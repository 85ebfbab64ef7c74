import { expect, test } from "bun:test";
import { existsSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { command, mustRun } from "../../fixtures/command.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import {
  digestOf,
  GantryRegistry,
  makeManifest,
  manifestType,
  pushBlob,
  putManifest,
} from "./gantry-registry.ts";

const collect = (registry: GantryRegistry, ...args: string[]) =>
  mustRun([gantryPath, "registry", "gc", "--root", registry.root, ...args]);

const isThere = async (registry: GantryRegistry, path: string) =>
  existsSync(join(registry.root, "content/blobs", path.replace(":", "/")));

/** Makes a blob's or manifest's link look two hours old. */
function age(registry: GantryRegistry, name: string, folder: "_blobs" | "_manifests", digest: string): void {
  const longAgo = new Date(Date.now() - 2 * 3600_000);
  utimesSync(join(registry.root, "repositories", name, folder, digest.replace(":", "-")), longAgo, longAgo);
}

test("gc asks the running server, which goes on serving: the plan first, then the deed", async () => {
  await using registry = await GantryRegistry.start();
  const manifest = await makeManifest(registry, "app");
  await putManifest(registry, "app", "v1", manifest);
  const garbage = await pushBlob(registry, "app", "x".repeat(2000));
  await registry.fetch("/v2/app/blobs/uploads/", { method: "POST" });

  expect(await collect(registry)).toBe("Removed 0 manifests, 0 blobs, 0 uploads: 0B\n"); // all of it is fresh
  age(registry, "app", "_blobs", garbage);
  expect(await collect(registry, "--dry-run")).toBe(
    `app\tblob ${garbage}\t2kB\tno manifest of the repository names it\n` +
      "Would remove 0 manifests, 1 blobs, 0 uploads: 2kB\n",
  );
  expect(await isThere(registry, garbage)).toBe(true);
  expect(await collect(registry, "--upload-age", "0s")).toContain(
    "Removed 0 manifests, 1 blobs, 1 uploads: 2kB",
  );
  expect(await isThere(registry, garbage)).toBe(false);
  expect((await registry.fetch(`/v2/app/blobs/${garbage}`)).status).toBe(404);
  expect(await (await registry.fetch("/v2/app/manifests/v1")).text()).toBe(manifest);
}, 30_000);

test("--untagged removes what no tag leads to, and the layers that only it needs; also without a server", async () => {
  await using registry = await GantryRegistry.start();
  const [old, current] = [
    await makeManifest(registry, "app", { annotations: { n: "1" } }),
    await makeManifest(registry, "app", { annotations: { n: "2" } }),
  ];
  for (const manifest of [old, current]) await putManifest(registry, "app", "latest", manifest);
  const member = await makeManifest(registry, "app", { annotations: { n: "3" } });
  await putManifest(registry, "app", digestOf(member), member);
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ mediaType: manifestType, digest: digestOf(member), size: member.length }],
  });
  const put = await registry.fetch("/v2/app/manifests/multi", {
    method: "PUT",
    headers: { "Content-Type": "application/vnd.oci.image.index.v1+json" },
    body: index,
  });
  expect(put.status).toBe(201);
  const loose = await pushBlob(registry, "other", "loose");
  await registry.kill("SIGTERM");
  expect(existsSync(join(registry.root, "admin.sock"))).toBe(false);

  const told = await collect(registry, "--untagged", "--grace", "0s");
  expect(told).toContain(`app\tmanifest ${digestOf(old)}`);
  expect(told).toContain(`other\tblob ${loose}`);
  expect(told).toContain("Removed 1 manifests, 1 blobs, 0 uploads");
  await registry.boot();
  const status = async (reference: string) => (await registry.fetch(`/v2/app/manifests/${reference}`)).status;
  expect(await status(digestOf(old))).toBe(404);
  expect([await status("latest"), await status("multi"), await status(digestOf(member))]).toEqual([
    200, 200, 200,
  ]);
}, 30_000);

test("a build cache keeps its layers as long as it is there", async () => {
  await using registry = await GantryRegistry.start();
  const layer = await pushBlob(registry, "cache", "layer of a build");
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const member = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: layer, size: 16 };
  const put = await registry.fetch("/v2/cache/manifests/main", {
    method: "PUT",
    headers: { "Content-Type": mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, manifests: [member] }),
  });
  expect(put.status).toBe(201);
  const nothing = "Removed 0 manifests, 0 blobs, 0 uploads: 0B\n";
  expect(await collect(registry, "--grace", "0s", "--untagged")).toBe(nothing);
  await registry.fetch("/v2/cache/manifests/main", { method: "DELETE" });
  expect(await collect(registry, "--grace", "0s", "--untagged")).toContain(`cache\tblob ${layer}`);
}, 30_000);

test("--gc-interval collects by itself", async () => {
  await using registry = await GantryRegistry.start(["--gc-interval", "1s", "--gc-untagged"]);
  const manifest = await makeManifest(registry, "app");
  await putManifest(registry, "app", digestOf(manifest), manifest);
  age(registry, "app", "_manifests", digestOf(manifest));
  await waitFor("the manifest to go", async () => !(await isThere(registry, digestOf(manifest))));
}, 30_000);

test("a directory whose path is too long for a socket is served all the same", async () => {
  await using registry = await GantryRegistry.start([], "http", "x".repeat(120));
  expect((await registry.fetch("/v2/")).status).toBe(200);
  const { exitCode, stderr } = await command([gantryPath, "registry", "gc", "--root", registry.root]);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("hint: stop it, and collect then")]);
}, 30_000);

test("gc refuses a directory that is no registry's, and says so", async () => {
  const { exitCode, stderr } = await command([gantryPath, "registry", "gc", "--root", "/tmp"]);
  expect([exitCode, stderr]).toEqual([1, "gantry registry: /tmp is not a registry's directory\n"]);
});
