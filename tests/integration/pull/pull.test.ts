import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { join } from "node:path";
import type { TarEntry } from "../../../scripts/image-archive.ts";
import type { Digest } from "../../../src/formats/digest.ts";
import { command, mustRun } from "../../fixtures/command.ts";
import { busyboxArchiveFile, busyboxFiles, debianLayout, push } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { pushImage, pushIndex } from "./push-image.ts";
import { Stores } from "./stores.ts";

let registry: TestRegistry;

beforeAll(async () => {
  registry = await TestRegistry.start();
});
afterAll(() => registry[Symbol.asyncDispose]());

async function skopeoDigest(name: string): Promise<string> {
  const inspected = await mustRun([
    "skopeo",
    "inspect",
    "--tls-verify=false",
    `docker://${registry.host}/${name}`,
  ]);
  return JSON.parse(inspected).Digest;
}

const upper: TarEntry[] = [
  { name: "etc/", type: "directory" },
  { name: "etc/motd", content: "hello\n", uid: 1000, gid: 1000, mode: 0o640, mtime: 1_000_000_000 },
  { name: "etc/.wh.group", content: "" },
];

/** Where a file of the topmost layer that has it lies on the host. */
function inTopLayer(stores: Stores, key: string, chainId: Digest, path: string): string {
  const [, top] = stores.snapshots.describe(key).lower; // behind the init layer
  expect(stores.snapshots.layer(chainId)).toBeDefined();
  return join(top ?? "", path);
}

describe.each([
  ["oci", "gzip"],
  ["oci", "zstd"],
  ["oci", "plain"],
  ["docker", "gzip"],
  ["docker", "plain"],
] as const)("an image in %s format with %s layers", (format, compression) => {
  test("is pulled by tag and by digest, with the digest that skopeo sees, and unpacked whole", async () => {
    const name = `${format}/${compression}`;
    const pushed = await pushImage(registry.host, name, "1", {
      layers: [await busyboxFiles(), upper],
      format,
      compression,
    });
    await using stores = await Stores.open();
    const { image, changed } = await stores.pull(`${registry.host}/${name}:1`);
    expect(changed).toBe(true);
    expect(image.repoDigests).toEqual([`${registry.host}/${name}@${await skopeoDigest(`${name}:1`)}`]);
    expect(image.manifest).toEqual(pushed);

    const top: Digest = image.chainIds.at(-1) ?? "sha256:";
    await stores.snapshots.prepare("look", top);
    const motd = inTopLayer(stores, "look", top, "etc/motd");
    expect(readFileSync(motd, "utf8")).toBe("hello\n");
    const { uid, mode, mtimeMs } = lstatSync(motd);
    expect([uid, mode & 0o7777, mtimeMs]).toEqual([1000, 0o640, 1_000_000_000_000]);
    expect(lstatSync(inTopLayer(stores, "look", top, "etc/group")).isCharacterDevice()).toBe(true);
    await stores.snapshots.remove("look");

    const again = await stores.pull(`${registry.host}/${name}@${pushed.digest}`);
    expect([again.image.id, again.changed]).toEqual([image.id, false]);
    const third = await stores.pull(`${registry.host}/${name}:1`);
    expect(third.lines.at(-1)?.status).toBe(`Status: Image is up to date for ${registry.host}/${name}:1`);
  });
});

test("an image that skopeo pushed keeps its id and digest in both formats", async () => {
  const source = `docker-archive:${await busyboxArchiveFile()}`;
  await using stores = await Stores.open();
  for (const format of ["oci", "v2s2"] as const) {
    const digest = await push(source, registry, `skopeo/${format}:1`, { format });
    const { image } = await stores.pull(`${registry.host}/skopeo/${format}:1`);
    expect<string>(image.manifest.digest).toBe(digest);
    const inspected = await mustRun([
      "skopeo",
      "inspect",
      "--raw",
      "--tls-verify=false",
      `docker://${registry.host}/skopeo/${format}:1`,
    ]);
    expect(image.id).toBe(JSON.parse(inspected).config.digest);
  }
});

test("an index gives the host's image, and another platform's when it is asked for", async () => {
  const push = (architecture: string) =>
    pushImage(registry.host, "multi", architecture, {
      layers: [[{ name: "arch", content: architecture }]],
      format: "oci",
      compression: "gzip",
      architecture,
    });
  const entries = [];
  for (const architecture of ["s390x", "amd64", "arm64"]) {
    entries.push({ architecture, image: await push(architecture) });
  }
  const index = await pushIndex(registry.host, "multi", "1", entries);
  await using stores = await Stores.open();
  const host = process.arch === "arm64" ? "arm64" : "amd64";
  const { image } = await stores.pull(`${registry.host}/multi:1`);
  expect(image.config.architecture).toBe(host);
  expect(image.repoDigests).toEqual([`${registry.host}/multi@${index.digest}`]);
  const other = await stores.pull(`${registry.host}/multi:1`, { platform: "linux/s390x" });
  expect(other.image.config.architecture).toBe("s390x");
  await expect(stores.pull(`${registry.host}/multi:1`, { platform: "linux/riscv64" })).rejects.toThrow(
    "no matching manifest for linux/riscv64 in the manifest list entries",
  );
});

test("a Debian of ten layers arrives whole, and removing it leaves nothing", async () => {
  await push(`oci:${await debianLayout({ layers: 10 })}`, registry, "debian:10");
  await using stores = await Stores.open();
  const { image, lines } = await stores.pull(`${registry.host}/debian:10`);
  expect(image.chainIds).toHaveLength(10);
  expect(lines.filter(({ status }) => status === "Pull complete")).toHaveLength(10);
  await stores.snapshots.prepare("look", image.chainIds.at(-1));
  const { merged } = stores.snapshots.mount("look");
  expect((await command(["chroot", merged, "/usr/bin/dpkg", "--audit"])).exitCode).toBe(0);
  await stores.snapshots.remove("look");

  const removed = await stores.images.remove(`${registry.host}/debian:10`, {
    force: false,
    usedBy: new Map(),
  });
  expect(removed.filter(({ kind }) => kind === "Deleted")).toHaveLength(11);
  expect(stores.content.list()).toEqual([]);
  expect(stores.snapshots.layers()).toEqual([]);
}, 120_000);

test("an image that is not there, and a registry that is not there", async () => {
  await using stores = await Stores.open();
  await expect(stores.pull(`${registry.host}/nothing:1`)).rejects.toThrow(
    `manifest for ${registry.host}/nothing:1 not found: manifest unknown: manifest unknown`,
  );
  await expect(stores.pull("127.0.0.1:1/nothing:1")).rejects.toThrow(
    'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
  );
});

test.each([
  ["unpacking", new Uint8Array(16 << 20)],
  [
    "downloading",
    crypto
      .getRandomValues(new Uint8Array(64 << 10))
      .toBase64()
      .repeat(200),
  ],
] as const)("a disk that is full while %s is named, and what was begun is gone", async (_, content) => {
  await pushImage(registry.host, "big", "1", {
    layers: [[{ name: "small", content: "x" }], [{ name: "big", content }]],
    format: "oci",
    compression: typeof content === "string" ? "plain" : "gzip",
  });
  const root = scratchDirectory("full");
  await mustRun(["mount", "-t", "tmpfs", "-o", "size=8m", "gantry-test", root]);
  try {
    const stores = await Stores.open(root);
    try {
      const before = statfsSync(root).bfree;
      await expect(stores.pull(`${registry.host}/big:1`)).rejects.toThrow("no space left on device");
      await stores.snapshots.close();
      expect(stores.images.list()).toEqual([]);
      expect(stores.content.list()).toEqual([]);
      expect(stores.snapshots.layers()).toEqual([]);
      expect(readdirSync(join(root, "content/ingest"))).toEqual([]);
      expect(before - statfsSync(root).bfree).toBeLessThan(16);
    } finally {
      await stores[Symbol.asyncDispose]();
    }
  } finally {
    await mustRun(["umount", root]);
    await mustRun(["rmdir", root]);
  }
});

test("credentials: without, wrong, right", async () => {
  const credentials = { username: "user", password: "secret" };
  await using closed = await TestRegistry.start({ credentials });
  await push(`docker-archive:${await busyboxArchiveFile()}`, closed, "a:1", { credentials });
  await using stores = await Stores.open();
  const reference = `${closed.host}/a:1`;
  await expect(stores.pull(reference)).rejects.toThrow("no basic auth credentials");
  await expect(stores.pull(reference, { credentials: { ...credentials, password: "x" } })).rejects.toThrow(
    "unauthorized: authentication required",
  );
  expect((await stores.pull(reference, { credentials })).changed).toBe(true);
});

test("what docker save wrote is loaded, and named", async () => {
  await using stores = await Stores.open();
  const load = async () => {
    const lines: unknown[] = [];
    const loaded = await stores.transfer.load(Bun.file(await busyboxArchiveFile()).stream(), {
      platforms: [],
      onProgress: (line) => lines.push(line),
      signal: new AbortController().signal,
    });
    return { loaded, lines };
  };
  const first = await load();
  expect(first.loaded.map(({ loaded }) => loaded)).toEqual(["busybox:latest"]);
  expect(first.lines.at(-1)).toMatchObject({ status: "Loading layer" });
  const [image] = stores.images.list();
  expect(image).toMatchObject({ tags: ["docker.io/library/busybox:latest"], repoDigests: [] });
  expect((await load()).lines).toEqual([]);
  expect(readdirSync(stores.content.spoolDirectory)).toEqual([]);
});

test("stores that open again know what was pulled", async () => {
  await push(`docker-archive:${await busyboxArchiveFile()}`, registry, "again:1");
  const root = scratchDirectory("again");
  try {
    const before = await Stores.open(root);
    const { image } = await before.pull(`${registry.host}/again:1`);
    await before[Symbol.asyncDispose]();
    const after = await Stores.open(root);
    expect(after.images.resolve(`${registry.host}/again:1`)).toEqual(image);
    await after[Symbol.asyncDispose]();
  } finally {
    await mustRun(["rm", "-rf", root]);
  }
});
