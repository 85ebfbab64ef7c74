import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chainIds } from "../../formats/chain-id.ts";
import { type Digest, digestHex, digestOf } from "../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { createLog } from "../../log/log.ts";
import { FileContentStore } from "../content/file-content-store.ts";
import { reachable } from "../gc/plan-collection.ts";
import { Leases, resourceKey } from "../leases/leases.ts";
import { FakeLayers } from "../transfer/fake-layers.ts";
import type { ImageUsers } from "./contract.ts";
import { FileImageStore } from "./file-image-store.ts";

let directory: string;
let content: FileContentStore;
let layers: FakeLayers;
let leases: Leases;
let store: FileImageStore;
let logged: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "gantry-images-"));
  layers = new FakeLayers();
  leases = new Leases();
  logged = [];
  await reopen();
});
afterEach(() => rmSync(directory, { recursive: true }));

/** As after a restart of the engine. */
async function reopen(): Promise<void> {
  content = new FileContentStore(join(directory, "content"));
  const log = createLog("debug", (line) => logged.push(line));
  const options = { directory: join(directory, "images"), content, snapshots: layers, leases, log };
  store = await FileImageStore.open(options);
}

const nobody: ImageUsers = new Map();
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Puts the blobs and layers of an image into the stores; `parts` are the contents of its layers. */
async function prepare(...parts: string[]): Promise<{ manifest: Descriptor; id: Digest; chain: Digest[] }> {
  const diffIds = parts.map((part) => digestOf(part));
  const config = bytes({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffIds } });
  const chain = chainIds(diffIds);
  for (const [index, chainId] of chain.entries()) {
    const [parent, diffId] = [chain[index - 1], diffIds[index] ?? chainId];
    layers.committed.set(chainId, { chainId, diffId, parent, sizeBytes: 10 });
  }
  for (const part of parts) await content.put(new TextEncoder().encode(part));
  const id = await content.put(config);
  const document = bytes({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: id, size: config.length },
    layers: parts.map((part) => ({
      mediaType: mediaTypes.ociLayer,
      digest: digestOf(part),
      size: part.length,
    })),
  });
  const digest = await content.put(document);
  return { manifest: { mediaType: mediaTypes.ociManifest, digest, size: document.length }, id, chain };
}

async function pulled(tag: string, ...parts: string[]) {
  const image = await prepare(...parts);
  const target = image.manifest;
  await store.add(target, [
    { reference: tag, target },
    { reference: `${tag.split(":")[0]}@${target.digest}`, target },
  ]);
  return image;
}

describe("looking up", () => {
  test("by every kind of name and id, also after a restart", async () => {
    const { id, manifest } = await pulled("busybox:1", "base", "top");
    for (let round = 0; round < 2; round++) {
      const names = [
        "busybox:1",
        "docker.io/library/busybox:1",
        `busybox@${manifest.digest}`,
        `busybox:other@${manifest.digest}`,
        id,
        digestHex(id),
        digestHex(id).slice(0, 12),
        `sha256:${digestHex(id).slice(0, 8)}`,
      ];
      expect(names.map((name) => store.find(name)?.id)).toEqual(names.map(() => id));
      expect(store.resolve("busybox:1")).toMatchObject({
        tags: ["docker.io/library/busybox:1"],
        repoDigests: [`docker.io/library/busybox@${manifest.digest}`],
        sizeBytes: 20,
        manifest,
      });
      await reopen();
    }
  });

  test("what is not there", async () => {
    await pulled("busybox:1", "base");
    expect(store.find("busybox")).toBeUndefined();
    expect(() => store.resolve("busybox")).toThrow(/^No such image: busybox:latest$/);
    expect(() => store.resolve("quay.io/a/b:c")).toThrow(/^No such image: quay.io\/a\/b:c$/);
    expect(() => store.resolve("f".repeat(64))).toThrow(`No such image: sha256:${"f".repeat(64)}`);
    expect(() => store.resolve("Bad Name")).toThrow("invalid reference format");
  });

  test("a beginning that two ids have", async () => {
    const ids: Digest[] = [];
    for (let index = 0; index < 17; index++) ids.push((await pulled(`a:${index}`, `${index}`)).id);
    const first = (id: Digest) => digestHex(id).charAt(0);
    const twice = ids.map(first).find((digit, index, all) => all.indexOf(digit) !== index) ?? "";
    expect(() => store.resolve(twice)).toThrow(`image id ${twice} is ambiguous`);
  });
});

test("the list is the same array until an image or a name changes", async () => {
  const { id } = await pulled("a:1", "x");
  let before = store.list();
  const isNew = () => {
    const now = store.list();
    const changed = now !== before;
    before = now;
    return changed;
  };
  expect(isNew()).toBe(false);
  await store.tag(id, "a:1"); // so it was
  expect(isNew()).toBe(false);
  for (const change of [
    () => store.tag(id, "b:1"),
    () => store.remove("b:1", { force: false, usedBy: nobody }),
    () => pulled("a:1", "y"), // the name moves
    () => store.remove(id, { force: false, usedBy: nobody }),
  ]) {
    await change();
    expect(isNew()).toBe(true);
    expect(store.list()).toEqual(store.list().map((image) => store.resolve(image.id)));
  }
});

describe("naming", () => {
  test("a tag moves, and its old image stays, dangling, with its digest", async () => {
    const old = await pulled("a:1", "old");
    const young = await pulled("a:1", "young");
    expect(store.resolve("a:1").id).toBe(young.id);
    expect(store.resolve(old.id)).toMatchObject({ tags: [], repoDigests: [expect.stringContaining("/a@")] });
    await reopen();
    expect(
      store
        .list()
        .map((image) => image.id)
        .sort(),
    ).toEqual([old.id, young.id].sort());
  });

  test("tag gives a second name, without a digest in the other repository", async () => {
    const { id } = await pulled("a:1", "x");
    await store.tag(id, "quay.io/b");
    expect(store.resolve("quay.io/b:latest")).toMatchObject({
      id,
      tags: ["docker.io/library/a:1", "quay.io/b:latest"],
    });
    expect(store.resolve("a:1").repoDigests).toHaveLength(1);
  });

  test.each([
    [`a@${digestOf("")}`, "refusing to create a tag with a digest reference"],
    ["sha256:abc", "refusing to create an ambiguous tag using digest algorithm as name"],
    ["A", "must be lowercase"],
  ])("tag %s is refused", async (reference, message) => {
    const { id } = await pulled("a:1", "x");
    await expect(store.tag(id, reference)).rejects.toThrow(message);
  });

  test("no other way makes a name that could be an id, either", async () => {
    const { manifest } = await prepare("base");
    const reference = "docker.io/library/sha256:abc";
    await expect(store.add(manifest, [{ reference, target: manifest }])).rejects.toThrow("ambiguous tag");
    expect(store.list()).toEqual([]);
  });

  test("an image whose layers are missing is not registered", async () => {
    const { manifest, chain } = await prepare("base", "top");
    layers.committed.delete(chain[1] ?? "sha256:");
    await expect(store.add(manifest, [])).rejects.toThrow(`layer ${chain[1]} is not unpacked`);
    expect(store.list()).toEqual([]);
  });
});

describe("removing", () => {
  const remove = async (reference: string, force = false, usedBy = nobody) =>
    (await store.remove(reference, { force, usedBy })).map(({ kind, value }) => `${kind}: ${value}`);

  test("the last name deletes image, layers and blobs, topmost layer first", async () => {
    const { id, manifest, chain } = await pulled("a:1", "base", "top");
    expect(await remove("a:1")).toEqual([
      "Untagged: a:1",
      `Untagged: a@${manifest.digest}`,
      `Deleted: ${id}`,
      `Deleted: ${chain[1]}`,
      `Deleted: ${chain[0]}`,
    ]);
    expect([store.list(), content.list(), layers.layers()]).toEqual([[], [], []]);
    for (const folder of ["ids", "references"]) {
      expect(readdirSync(join(directory, "images", folder))).toEqual([]);
    }
  });

  test("what another image shares stays as long as that one", async () => {
    const first = await pulled("a:1", "base", "one");
    const second = await pulled("b:1", "base", "two");
    expect(await remove("a:1")).toEqual([
      "Untagged: a:1",
      `Untagged: a@${first.manifest.digest}`,
      `Deleted: ${first.id}`,
      `Deleted: ${first.chain[1]}`,
    ]);
    expect(content.has(digestOf("base"))).toBe(true);
    expect(content.has(digestOf("one"))).toBe(false);
    await remove("b:1");
    expect(content.list()).toEqual([]);
    expect(second.chain.some((chainId) => layers.layer(chainId))).toBe(false);
  });

  test("what a running operation holds stays until a later sweep", async () => {
    const { chain } = await pulled("a:1", "base", "top");
    await leases.withLease(async (lease) => {
      lease.holdLayer(chain[0] ?? "sha256:");
      lease.holdBlob(digestOf("base"));
      expect((await remove("a:1")).at(-1)).toBe(`Deleted: ${chain[1]}`);
      expect(content.list()).toEqual([digestOf("base")]);
    });
    await store.collect({ blobs: [], layers: [] });
    expect([content.list(), layers.layers()]).toEqual([[], []]);
  });

  test("layers below a container's writable top stay until that is gone", async () => {
    const { id, chain } = await pulled("a:1", "base");
    const top = chain[0] ?? "sha256:";
    layers.inUse.add(top);
    const usedBy: ImageUsers = new Map([[id, [{ containerId: "c".repeat(64), running: false }]]]);
    await expect(remove("a:1", false, usedBy)).rejects.toThrow("conflict: unable to remove repository");
    expect((await remove("a:1", true, usedBy)).at(-1)).toBe(`Deleted: ${id}`);
    expect(layers.layer(top)).toBeDefined();
    layers.inUse.clear();
    await store.collect({ blobs: [], layers: [] });
    expect(layers.layer(top)).toBeUndefined();
  });

  test("an image that is being used by a running container loses its names only", async () => {
    const { id } = await pulled("a:1", "base");
    const usedBy: ImageUsers = new Map([[id, [{ containerId: "c".repeat(64), running: true }]]]);
    expect(await remove("a:1", true, usedBy)).toHaveLength(2);
    expect(store.resolve(id).tags).toEqual([]);
  });

  test("a removed image can be pulled again at once", async () => {
    await pulled("a:1", "base");
    await remove("a:1");
    await pulled("a:1", "base");
    expect(store.resolve("a:1").sizeBytes).toBe(10);
  });
});

test("a start reports broken sidecars and images that lost something, and keeps the rest", async () => {
  const whole = await pulled("a:1", "base");
  const broken = await pulled("b:1", "other");
  writeFileSync(join(directory, "images/ids/broken.json"), "{");
  await content.remove(broken.id);
  await reopen();
  expect(store.list().map((image) => image.id)).toEqual([whole.id]);
  const events = logged.map((line) => JSON.parse(line).event).sort();
  expect(events).toEqual([
    "images.incomplete",
    "images.name-incomplete",
    "images.name-incomplete",
    "images.sidecar-broken",
  ]);
});

describe("an image that is not complete after a restart", () => {
  test("keeps what it has: a collection takes nothing of it until it is repaired and removed", async () => {
    const { manifest, id, chain } = await prepare("base", "top");
    await store.add(manifest, [{ reference: "a:1", target: manifest }]);
    const top = chain[1] ?? id;
    const lost = layers.committed.get(top);
    layers.committed.delete(top);
    await reopen();
    expect(store.list()).toEqual([]);
    const everything = { blobs: content.list(), layers: [...layers.committed.keys()] };
    expect(await store.collect(everything)).toEqual({ blobs: [], layers: [] });

    if (lost) layers.committed.set(top, lost);
    await store.add(manifest, [{ reference: "a:1", target: manifest }]);
    await store.remove("a:1", { force: false, usedBy: nobody });
    expect([content.list(), [...layers.committed.keys()]]).toEqual([[], []]);
  });

  test("keeps its layers also when its config is missing, and a name its manifest", async () => {
    const { manifest, id } = await prepare("base");
    await store.add(manifest, [{ reference: "a:1", target: manifest }]);
    await content.remove(id);
    await reopen();
    await store.collect({ blobs: content.list(), layers: [] });
    expect(content.list().toSorted()).toEqual([manifest.digest, digestOf("base")].toSorted());
    await expect(store.add(manifest, [])).rejects.toThrow(`no such blob: ${id}`);
  });

  test("a sidecar that cannot be read is told", async () => {
    const [path] = [join(directory, "images/ids/broken.json")];
    writeFileSync(path, "{");
    await reopen();
    expect(store.unreadable).toEqual([path]);
  });
});

test("without an image its names and blobs are kept by nobody", async () => {
  const [one, two] = [await prepare("base", "one"), await prepare("base", "two")];
  await store.add(one.manifest, [{ reference: "a:1", target: one.manifest }]);
  await store.add(two.manifest, [{ reference: "b:1", target: two.manifest }]);
  const kept = reachable(store.keeps(new Set([one.id])));
  const has = (kind: "blob" | "layer", name: string) => kept.has(resourceKey({ kind, name }));
  expect([has("blob", one.id), has("blob", digestOf("one")), has("layer", one.chain[1] ?? "")]).toEqual([
    false,
    false,
    false,
  ]);
  expect([has("blob", two.id), has("blob", digestOf("base")), has("layer", one.chain[0] ?? "")]).toEqual([
    true,
    true,
    true,
  ]);
});

test("nothing is remembered of an image that is gone", async () => {
  const { manifest, id } = await prepare("base");
  await store.add(manifest, [{ reference: "a:1", target: manifest }]);
  await store.remove("a:1", { force: false, usedBy: nobody });
  const { references } = store.keeps();
  expect(references({ kind: "blob", name: manifest.digest })).toEqual([]);
  expect(references({ kind: "blob", name: id })).toEqual([]);
});
