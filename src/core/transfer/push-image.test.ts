import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, digestOf, shortDigest } from "../../formats/digest.ts";
import { mediaTypes } from "../../formats/oci-image.ts";
import { createLog } from "../../log/log.ts";
import { FileContentStore } from "../content/file-content-store.ts";
import { FileImageStore } from "../images/file-image-store.ts";
import { Leases } from "../leases/leases.ts";
import type { BlobOutcome, BlobUpload, Progress, RemoteUploads } from "./contract.ts";
import { FakeLayers, FakeUnpacker } from "./fake-layers.ts";
import { FakeRemote } from "./fake-remote.ts";
import { ImageTransfer } from "./image-transfer.ts";
import { Limit } from "./limit.ts";

/** A registry's writing side in memory. */
class FakeUploads implements RemoteUploads {
  readonly blobs = new Map<Digest, string>();
  readonly manifests = new Map<string, string>();
  readonly mountable = new Set<string>();

  isForeignTaken = false;

  async takesForeignLayers(): Promise<boolean> {
    return this.isForeignTaken;
  }

  async hasBlob(digest: Digest): Promise<boolean> {
    return this.blobs.has(digest);
  }

  async ensureBlob({ descriptor, open, mountFrom, onProgress }: BlobUpload): Promise<BlobOutcome> {
    if (this.blobs.has(descriptor.digest)) return { kind: "present" };
    const from = mountFrom.find((path) => this.mountable.has(path));
    if (from !== undefined) return { kind: "mounted", from };
    let text = "";
    for await (const chunk of open({ start: 0, end: descriptor.size })) text += Buffer.from(chunk).toString();
    onProgress(text.length);
    this.blobs.set(descriptor.digest, text);
    return { kind: "uploaded" };
  }

  async putManifest(name: string, _: unknown, bytes: Uint8Array): Promise<void> {
    this.manifests.set(name, new TextDecoder().decode(bytes));
  }
}

let directory: string;
let content: FileContentStore;
let images: FileImageStore;
let remote: FakeRemote;
let uploads: FakeUploads;
let transfer: ImageTransfer;
const signal = new AbortController().signal;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "gantry-push-"));
  content = new FileContentStore(join(directory, "content"));
  remote = new FakeRemote();
  uploads = new FakeUploads();
  const [leases, log, snapshots] = [new Leases(), createLog("error", () => {}), new FakeLayers()];
  images = await FileImageStore.open({
    directory: join(directory, "images"),
    content,
    snapshots,
    leases,
    log,
  });
  transfer = new ImageTransfer({
    content,
    snapshots,
    images,
    leases,
    log,
    unpacker: new FakeUnpacker(),
    spooler: { spool: () => Promise.reject(new Error("not built")) },
    spoolDirectory: content.spoolDirectory,
    registries: {
      repository: () => remote,
      uploads: () => uploads,
      login: async () => {},
      search: async () => [],
    },
    platform: { os: "linux", architecture: "amd64" },
    downloads: new Limit(2),
    uploads: new Limit(5),
  });
});
afterEach(() => rmSync(directory, { recursive: true }));

const pull = (reference: string) => transfer.pull({ reference, onProgress: () => {}, signal });

async function push(reference: string): Promise<Progress[]> {
  const lines: Progress[] = [];
  await transfer.push({ reference, onProgress: (line) => lines.push(line), signal });
  return lines;
}

const texts = (lines: readonly Progress[]) =>
  lines.flatMap(({ id, status }) => (status === undefined ? [] : [id ? `${id}: ${status}` : status]));
const lineOf = (layer: string) => shortDigest(digestOf(layer));

test("what was pulled goes up as it is, and the name by digest is known afterwards", async () => {
  const { target, layers } = remote.addImage(["one", "two"]);
  await pull("x:1");
  await images.tag("x:1", "r.example/y:2");
  const lines = await push("r.example/y:2");
  const done = `2: digest: ${target.digest} size: ${target.size}`;
  expect(texts(lines)[0]).toBe("The push refers to repository [r.example/y]");
  expect(texts(lines)).toContain(`${lineOf("one")}: Preparing`);
  expect(texts(lines)).toContain(`${lineOf("two")}: Pushed`);
  expect(texts(lines).at(-1)).toBe(done);
  expect(lines.at(-1)?.aux).toEqual({ Tag: "2", Digest: target.digest, Size: target.size });
  for (const [index, text] of ["one", "two"].entries()) {
    expect(uploads.blobs.get(layers[index]?.digest ?? "sha256:")).toBe(text);
  }
  expect(digestOf(uploads.manifests.get("2") ?? "")).toBe(target.digest);
  expect(images.find(`r.example/y@${target.digest}`)?.repoDigests).toContain(`r.example/y@${target.digest}`);
});

test("a second push sends nothing", async () => {
  remote.addImage(["one"]);
  await pull("x:1");
  await push("x:1");
  expect(texts(await push("x:1"))).toContain(`${lineOf("one")}: Layer already exists`);
});

test("layers are mounted from where the image came from, in the same registry only", async () => {
  remote.addImage(["one"]);
  await pull("r.example/from:1");
  uploads.mountable.add("from");
  for (const name of ["r.example/to:1", "other.example/to:1"]) {
    await images.tag("r.example/from:1", name);
  }
  expect(texts(await push("r.example/to:1"))).toContain(`${lineOf("one")}: Mounted from from`);
  expect(texts(await push("other.example/to:1"))).toContain(`${lineOf("one")}: Pushed`);
});

test("a layer that was never downloaded is replaced by the same one of another image", async () => {
  const first = remote.addImage(["one"]);
  await pull("x:1");
  const second = remote.addImage(["one, compressed in another way"], { diffIds: [digestOf("one")] });
  await pull("x:2");
  expect(content.has(second.layers[0]?.digest ?? "sha256:")).toBe(false);
  await push("x:2");
  const sent = JSON.parse(uploads.manifests.get("2") ?? "");
  expect(sent.layers[0].digest).toBe(first.layers[0]?.digest);
  expect(sent.config.digest).toBe(second.config.digest);
});

test("a layer that was never downloaded, and is in no other image any more, is fetched from where it came", async () => {
  remote.addImage(["one"]);
  await pull("x:1");
  const diffIds = [digestOf("one"), digestOf("top")];
  const { target, layers } = remote.addImage(["other bytes", "top"], { diffIds });
  await pull("y:2");
  await images.remove("x:1", { force: false, usedBy: new Map() });
  expect(content.has(digestOf("one"))).toBe(false);
  await push("y:2");
  expect(uploads.blobs.get(layers[0]?.digest ?? "sha256:")).toBe("other bytes");
  expect(digestOf(uploads.manifests.get("2") ?? "")).toBe(target.digest);
});

test("a layer that is nowhere is named, with what to do, unless the registry has it", async () => {
  const { layers } = remote.addImage(["one"]);
  await pull("x:1");
  const digest = layers[0]?.digest ?? "sha256:";
  await content.remove(digest);
  remote.replaceBlob(digest, "eno");
  await expect(push("x:1")).rejects.toMatchObject({
    message: `layer ${digest} of image x:1 is unpacked, but its compressed blob is not stored`,
    hint: expect.stringMatching(
      /^it cannot be fetched \(.*\): remove the images that share the layer, and pull/,
    ),
  });
  expect(uploads.manifests.size).toBe(0);
  uploads.blobs.set(digest, "one");
  expect(texts(await push("x:1"))).toContain(`${lineOf("one")}: Layer already exists`);
});

test("a name without a tag is all tags; what is not here is said in Docker's words", async () => {
  remote.addImage(["one"]);
  await pull("x:b");
  await images.tag("x:b", "x:a");
  const tags = texts(await push("x")).flatMap((text) => /^(\w+): digest/.exec(text)?.[1] ?? []);
  expect(tags).toEqual(["a", "b"]);
  await expect(push("x:c")).rejects.toThrow("tag does not exist: x:c");
  await expect(push("y")).rejects.toThrow("An image does not exist locally with the tag: y");
  const { digest } = images.resolve("x:a").manifest;
  await expect(push(`x@${digest}`)).rejects.toThrow("cannot push a digest reference");
});

test("a layer that cannot be brought ends a push, and no other one is on its way then", async () => {
  const { layers } = remote.addImage(["one", "another"]);
  await pull("x:1");
  for (const { digest } of layers) await content.remove(digest);
  const first = layers[0]?.digest ?? "sha256:";
  remote.replaceBlob(first, "eno");
  remote.calls.length = 0;
  await expect(push("x:1")).rejects.toThrow(`layer ${first} of image x:1 is unpacked`);
  expect(remote.calls).toEqual([`blob ${first} 0`]);
});

describe("a foreign layer", () => {
  const foreign = (digest: Digest, size: number) => ({
    ...{ mediaType: mediaTypes.dockerForeignLayerGzip, digest, size },
    urls: ["https://layers.example/x"],
  });

  test("stays where it is, unless the operator lets the registry have it; its descriptor is the same", async () => {
    const { layers, target } = remote.addImage(["one"], {
      layerOf: (layer) => foreign(layer.digest, layer.size),
    });
    await pull("x:1");
    expect(texts(await push("x:1"))).toContain(`${lineOf("one")}: Skipped foreign layer`);
    expect(uploads.blobs.has(layers[0]?.digest ?? "sha256:")).toBe(false);
    expect(digestOf(uploads.manifests.get("1") ?? "")).toBe(target.digest);
    uploads.isForeignTaken = true;
    expect(texts(await push("x:1"))).toContain(`${lineOf("one")}: Pushed`);
    expect(digestOf(uploads.manifests.get("1") ?? "")).toBe(target.digest);
  });

  test("that was never downloaded is fetched for a registry that takes it, not replaced", async () => {
    remote.addImage(["one"]);
    await pull("x:1");
    const { layers, target } = remote.addImage(["one, compressed in another way"], {
      diffIds: [digestOf("one")],
      layerOf: (layer) => foreign(layer.digest, layer.size),
    });
    await pull("x:2");
    uploads.isForeignTaken = true;
    await push("x:2");
    expect(uploads.blobs.get(layers[0]?.digest ?? "sha256:")).toBe("one, compressed in another way");
    expect(digestOf(uploads.manifests.get("2") ?? "")).toBe(target.digest);
  });

  test("that was never downloaded is fetched for an archive, and its descriptor is in it", async () => {
    remote.addImage(["one"]);
    await pull("x:1");
    const { target, layers } = remote.addImage(["one, compressed in another way"], {
      diffIds: [digestOf("one")],
      layerOf: (layer) => foreign(layer.digest, layer.size),
    });
    await pull("x:2");
    const chunks: Uint8Array[] = [];
    await transfer.save({
      ...{ names: ["x:2"], platforms: [], signal },
      write: async (chunk) => void chunks.push(chunk),
    });
    const archive = Buffer.concat(chunks).toString("latin1");
    expect(content.has(layers[0]?.digest ?? "sha256:")).toBe(true);
    expect(archive).toContain("one, compressed in another way");
    expect(archive).toContain(Buffer.from(await content.read(target.digest)).toString("latin1"));
  });
});

test("an image on the same base that is going away at this moment is no hindrance", async () => {
  const other = remote.addImage(["base", "other"]);
  await pull("r.example/other:1");
  remote.addImage(["base", "own"]);
  await pull("r.example/own:1");
  await content.remove(other.target.digest);
  uploads.mountable.add("other");
  await images.tag("r.example/own:1", "r.example/new:1");
  expect(texts(await push("r.example/new:1"))).toContain(`${lineOf("base")}: Mounted from other`);
});

test("the same layer is looked for in images whose index is not stored, too", async () => {
  const [image] = remote.addIndex([
    { platform: { os: "linux", architecture: "amd64" }, parts: ["base"] },
    { platform: { os: "linux", architecture: "arm64" }, parts: ["arm"] },
  ]);
  await pull("x:1");
  await content.remove(images.target("x:1")?.digest ?? "sha256:");
  await content.remove(image?.layers[0]?.digest ?? "sha256:");
  expect(texts(await push("x:1"))).toContain(`${lineOf("base")}: Pushed`);
});
