import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Digest, type DigestAlgorithm, digestHex, digestOf } from "../../../formats/digest.ts";
import { mediaTypes } from "../../../formats/oci-image.ts";
import { parseManifest } from "../../../formats/parse-oci-image.ts";
import type { TarEntry } from "../../../formats/tar/tar-entry.ts";
import { writeTar } from "../../../formats/tar/tar-writer.ts";
import { spoolArchive } from "../../unpack/spool-archive.ts";
import type { ArchivedImage } from "./contract.ts";
import { readImageArchive } from "./read-image-archive.ts";

const scratch = mkdtempSync(join(tmpdir(), "gantry-archive-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type Files = Readonly<Record<string, string | Uint8Array | { link: string }>>;

async function tarOf(files: Files): Promise<Buffer> {
  const inputs = Object.entries(files).map(([path, value]) => {
    const isLink = typeof value === "object" && "link" in value;
    const content = isLink ? Buffer.alloc(0) : Buffer.from(value);
    const entry: TarEntry = {
      type: isLink ? "symlink" : "file",
      path,
      linkPath: isLink ? value.link : "",
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: content.length,
      mtime: { seconds: 0, nanoseconds: 0 },
      deviceMajor: 0,
      deviceMinor: 0,
      xattrs: new Map(),
    };
    return { entry, content: [content] };
  });
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(inputs)) parts.push(part);
  return Buffer.concat(parts);
}

/** A content store in memory. */
class Blobs {
  readonly bytes = new Map<Digest, Uint8Array>();
  failAt: Digest | undefined;
  has = (digest: Digest) => this.bytes.has(digest);
  async adopt(path: string, { digest, size }: { digest: Digest; size: number }): Promise<void> {
    if (digest === this.failAt) throw new Error("disk broke");
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(size);
    this.bytes.set(digest, bytes);
    rmSync(path);
  }
  async put(bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<Digest> {
    this.bytes.set(digestOf(bytes, algorithm), bytes);
    return digestOf(bytes, algorithm);
  }
}

async function load(
  files: Files | Uint8Array,
  blobs = new Blobs(),
  hold: (digest: Digest) => void = () => undefined,
): Promise<ArchivedImage[]> {
  const bytes = files instanceof Uint8Array ? files : await tarOf(files);
  return readImageArchive(
    (async function* () {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
    })(),
    {
      blobs,
      hold,
      spooler: { spool: (archive, directory) => spoolArchive(directory, archive) },
      spoolDirectory: scratch,
      platforms: [{ os: "linux", architecture: "amd64" }],
      signal: new AbortController().signal,
    },
  );
}

const layers = [Buffer.from("first layer".padEnd(1024)), Buffer.from("second layer".padEnd(1024))];
const diffIds = layers.map((layer) => digestOf(layer));
const config = JSON.stringify({
  architecture: "amd64",
  os: "linux",
  rootfs: { type: "layers", diff_ids: diffIds },
});
const configDigest = digestOf(config);
const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = layers;
const blob = (bytes: string | Uint8Array) => `blobs/sha256/${digestHex(digestOf(bytes))}`;
const descriptor = (mediaType: string, bytes: string | Uint8Array, more: object = {}) => ({
  mediaType,
  digest: digestOf(bytes),
  size: Buffer.byteLength(bytes),
  ...more,
});

const oldLayout: Files = {
  [`${digestHex(configDigest)}.json`]: config,
  "aaa/layer.tar": first,
  "aaa/VERSION": "1.0",
  "bbb/layer.tar": second,
  "manifest.json": JSON.stringify([
    {
      Config: `${digestHex(configDigest)}.json`,
      RepoTags: ["one:latest", "two:1"],
      Layers: ["aaa/layer.tar", "bbb/layer.tar"],
    },
  ]),
};

const ociManifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor(mediaTypes.ociConfig, config),
  layers: layers.map((layer) => descriptor(mediaTypes.ociLayer, layer)),
  annotations: { made: "elsewhere" },
});

const layout = (manifests: object[], more: Files = {}): Files => ({
  "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
  "index.json": JSON.stringify({ schemaVersion: 2, manifests }),
  [blob(config)]: config,
  [blob(first)]: first,
  [blob(second)]: second,
  [blob(ociManifest)]: ociManifest,
  ...more,
});

describe("docker save", () => {
  test("the old layout gets a manifest over its blobs, the same one every time", async () => {
    const blobs = new Blobs();
    const [image] = await load(oldLayout, blobs);
    expect(image).toMatchObject({
      diffIds,
      repoTags: ["one:latest", "two:1"],
      config: { digest: configDigest },
    });
    expect(image?.layers.map(({ digest, mediaType }) => [digest, mediaType])).toEqual(
      diffIds.map((diffId) => [diffId, mediaTypes.ociLayer]),
    );
    const manifest = parseManifest(
      blobs.bytes.get(image?.manifest.digest ?? configDigest) ?? Buffer.alloc(0),
    );
    expect([manifest.config, ...manifest.layers].map(({ digest }) => blobs.has(digest))).toEqual([
      true,
      true,
      true,
    ]);
    expect((await load(oldLayout))[0]?.manifest).toEqual(image?.manifest);
    expect(blobs.bytes.size).toBe(4);
  });

  test.each([
    ["gzip", (bytes: Buffer) => gzipSync(bytes)],
    ["zstd", (bytes: Buffer) => zstdCompressSync(bytes)],
  ] as const)("the archive may be compressed with %s", async (_, compress) => {
    expect((await load(compress(await tarOf(oldLayout))))[0]?.config.digest).toBe(configDigest);
  });

  test("compressed layers keep their bytes and say what they are", async () => {
    const [image] = await load({
      ...oldLayout,
      "aaa/layer.tar": gzipSync(first),
      "bbb/layer.tar": zstdCompressSync(second),
    });
    expect(image?.layers.map(({ mediaType }) => mediaType)).toEqual([
      mediaTypes.ociLayerGzip,
      mediaTypes.ociLayerZstd,
    ]);
    expect(image?.layers[0]?.digest).toBe(digestOf(gzipSync(first)));
  });

  test("a layer may be a symlink to another one of the archive, and a layer may come twice", async () => {
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [diffIds[0], diffIds[0]] },
    });
    const [image] = await load({
      "config.json": config,
      "aaa/layer.tar": first,
      "bbb/layer.tar": { link: "../aaa/layer.tar" },
      "manifest.json": JSON.stringify([
        { Config: "config.json", RepoTags: null, Layers: ["aaa/layer.tar", "bbb/layer.tar"] },
      ]),
    });
    expect(image?.layers.map(({ digest }) => digest)).toEqual([digestOf(first), digestOf(first)]);
    expect(image?.repoTags).toEqual([]);
  });

  test("the new layout keeps its own manifest", async () => {
    const [image] = await load(
      layout([descriptor(mediaTypes.ociManifest, ociManifest)], {
        "manifest.json": JSON.stringify([
          { Config: blob(config), RepoTags: ["x:1"], Layers: [blob(first), blob(second)] },
        ]),
      }),
    );
    expect(image?.manifest.digest).toBe(digestOf(ociManifest));
    expect(image?.repoTags).toEqual(["x:1"]);
  });

  test("several images share blobs", async () => {
    const entry = { Config: `${digestHex(configDigest)}.json`, Layers: ["aaa/layer.tar", "bbb/layer.tar"] };
    const images = await load({
      ...oldLayout,
      "manifest.json": JSON.stringify([
        { ...entry, RepoTags: ["a:1"] },
        { ...entry, RepoTags: ["b:1"] },
      ]),
    });
    expect(images.map(({ repoTags }) => repoTags)).toEqual([["a:1"], ["b:1"]]);
  });
});

describe("OCI layout", () => {
  test("names are those of the annotations; one manifest with two names is one image", async () => {
    const named = (annotations: object) => descriptor(mediaTypes.ociManifest, ociManifest, { annotations });
    const images = await load(
      layout([
        named({
          "io.containerd.image.name": "docker.io/library/a:1",
          "org.opencontainers.image.ref.name": "1",
        }),
        named({ "org.opencontainers.image.ref.name": "b:2" }),
        named({ "org.opencontainers.image.ref.name": "latest" }),
      ]),
    );
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({
      repoTags: ["docker.io/library/a:1", "b:2"],
      manifest: { digest: digestOf(ociManifest) },
    });
  });

  test("blobs may have sha512 digests", async () => {
    const path = (bytes: string | Uint8Array) => `blobs/sha512/${digestHex(digestOf(bytes, "sha512"))}`;
    const sha512 = (mediaType: string, bytes: string | Uint8Array) =>
      descriptor(mediaType, bytes, { digest: digestOf(bytes, "sha512") });
    const manifest = JSON.stringify({
      schemaVersion: 2,
      config: sha512(mediaTypes.ociConfig, config),
      layers: layers.map((layer) => sha512(mediaTypes.ociLayer, layer)),
    });
    const named = {
      ...sha512(mediaTypes.ociManifest, manifest),
      annotations: { "org.opencontainers.image.ref.name": "a:1" },
    };
    const files = {
      "index.json": JSON.stringify({ schemaVersion: 2, manifests: [named] }),
      ...Object.fromEntries([config, first, second, manifest].map((bytes) => [path(bytes), bytes])),
    };
    const docker = [{ Config: path(config), RepoTags: ["a:1"], Layers: layers.map(path) }];
    for (const more of [{}, { "manifest.json": JSON.stringify(docker) }]) {
      const blobs = new Blobs();
      const images = await load({ ...files, ...more }, blobs);
      expect(images).toMatchObject([{ manifest: { digest: named.digest }, repoTags: ["a:1"] }]);
      expect([...blobs.bytes.keys()].toSorted()).toEqual(
        [config, first, second, manifest].map((bytes) => digestOf(bytes, "sha512")).toSorted(),
      );
    }
  });

  test("an index gives the image of this platform", async () => {
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [
        descriptor(mediaTypes.ociManifest, "absent", { platform: { os: "linux", architecture: "s390x" } }),
        descriptor(mediaTypes.ociManifest, ociManifest, { platform: { os: "linux", architecture: "amd64" } }),
      ],
    });
    const [image] = await load(layout([descriptor(mediaTypes.ociIndex, index)], { [blob(index)]: index }));
    expect(image?.manifest.digest).toBe(digestOf(ociManifest));
  });
});

describe("refused, with nothing left behind", () => {
  const list = (entry: object) => ({
    "manifest.json": JSON.stringify([{ Config: "c.json", RepoTags: [], ...entry }]),
  });
  test.each<[string, Files | Uint8Array, string]>([
    ["a file system", { "etc/passwd": "root" }, "neither manifest.json nor index.json"],
    ["no tar at all", Buffer.alloc(2048, "text"), "checksum"],
    ["a name that leads out", { "../manifest.json": "[]" }, "leads out"],
    ["a layer that leads out", { "c.json": config, ...list({ Layers: ["../../etc/shadow"] }) }, "leads out"],
    [
      "an absolute symlink",
      { "c.json": config, "l.tar": { link: "/etc/shadow" }, ...list({ Layers: ["l.tar"] }) },
      "leads out",
    ],
    [
      "a symlink that leads out",
      { "c.json": config, "l.tar": { link: "../etc/shadow" }, ...list({ Layers: ["l.tar"] }) },
      "leads out",
    ],
    [
      "a symlink to nothing",
      { "c.json": config, "l.tar": { link: "etc/shadow" }, ...list({ Layers: ["l.tar"] }) },
      "to nothing",
    ],
    [
      "a circle of symlinks",
      { "c.json": config, a: { link: "b" }, b: { link: "a" }, ...list({ Layers: ["a"] }) },
      "another symlink",
    ],
    ["a missing config", list({ Layers: [] }), 'no file "c.json"'],
    ["a missing layer", { "c.json": config, ...list({ Layers: ["l.tar"] }) }, 'no file "l.tar"'],
    [
      "too few layers",
      { "c.json": config, "l.tar": first, ...list({ Layers: ["l.tar"] }) },
      "expected 2, got 1",
    ],
    ["a config that is none", { "c.json": "{}", ...list({ Layers: [] }) }, "rootfs is missing"],
    ["a manifest that is no JSON", { "manifest.json": "[" }, "not valid JSON"],
    ["a manifest that is no list", { "manifest.json": "{}" }, "is not a list"],
    [
      "a blob that is not what its name says",
      layout([descriptor(mediaTypes.ociManifest, ociManifest)], { [blob(first)]: "changed" }),
      "has the digest",
    ],
    [
      "a blob that is a symlink to another file",
      layout([descriptor(mediaTypes.ociManifest, ociManifest)], {
        [blob(first)]: { link: "../../other" },
        other: "x".repeat(first.length),
      }),
      "has the digest",
    ],
    [
      "a manifest with another size than its descriptor promises",
      layout([descriptor(mediaTypes.ociManifest, ociManifest, { size: 3 })]),
      "bytes, its descriptor promises 3",
    ],
    ...(["config", "layers"] as const).map((part): [string, Files, string] => {
      const small = (of: object | object[]) =>
        Array.isArray(of) ? of.map((each) => ({ ...each, size: 3 })) : { ...of, size: 3 };
      const document = JSON.parse(ociManifest);
      const lying = JSON.stringify({ ...document, [part]: small(document[part]) });
      const files = layout([descriptor(mediaTypes.ociManifest, lying)], { [blob(lying)]: lying });
      return [`${part} with another size than the manifest promises`, files, "its descriptor promises 3"];
    }),
    [
      "a sha512 blob that is not what its name says",
      layout([descriptor(mediaTypes.ociManifest, ociManifest, { digest: digestOf(ociManifest, "sha512") })], {
        [`blobs/sha512/${digestHex(digestOf(ociManifest, "sha512"))}`]: "changed".padEnd(ociManifest.length),
      }),
      "has the digest sha512:",
    ],
    ["an index that points nowhere", layout([descriptor(mediaTypes.ociManifest, "absent")]), "is not in it"],
    [
      "a layer with a compression that layers do not have",
      { "c.json": config, "l.tar": "BZh91AY", ...list({ Layers: ["l.tar", "l.tar"] }) },
      "bzip2",
    ],
  ])("%s", async (_, files, message) => {
    const blobs = new Blobs();
    await expect(load(files, blobs)).rejects.toThrow(message);
    expect(blobs.bytes.size).toBe(0);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("a cut archive", async () => {
    const archive = await tarOf(oldLayout);
    await expect(load(archive.subarray(0, 2000))).rejects.toThrow("truncated");
  });

  test("a store that fails half way: everything that was stored had been held before", async () => {
    const blobs = new Blobs();
    blobs.failAt = digestOf(second);
    const held = new Map<Digest, boolean>();
    await load(oldLayout, blobs, (digest) => held.set(digest, blobs.has(digest))).then(
      () => expect.unreachable(),
      (error: Error) => expect(error.message).toBe("disk broke"),
    );
    expect([...blobs.bytes.keys()].map((digest) => held.get(digest))).toEqual([false, false]);
    expect(existsSync(scratch) && readdirSync(scratch)).toEqual([]);
  });
});
