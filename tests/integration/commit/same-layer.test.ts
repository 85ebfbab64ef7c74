import { afterAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { digestHex, digestOf } from "../../../src/formats/digest.ts";
import { mustRun } from "../../fixtures/command.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { plantTree, randomTree } from "../../fixtures/random-tree.ts";
import { describeTree, unpackTar } from "../unpack/layers.ts";

const scratch = scratchDirectory("same-layer");
const memory = join(scratch, "memory");
mkdirSync(memory);
await mustRun(["mount", "-t", "tmpfs", "-o", "size=256m", "gantry-test", memory]);
const workers = new WorkerPool({ workers: 1 });
afterAll(async () => {
  workers.close();
  await mustRun(["umount", memory]);
  rmSync(scratch, { recursive: true, force: true });
});

const never = new AbortController().signal;
let packs = 0;

async function pack(directory: string) {
  const path = join(scratch, `layer-${++packs}`);
  const layer = await workers.pack({ directory, whiteouts: "overlay", path, compression: "gzip" }, never);
  const tar = gunzipSync(readFileSync(path));
  expect(digestOf(tar)).toBe(layer.diffId);
  return { ...layer, path, tar };
}

function directory(place: string, name: string): string {
  const path = join(place, name);
  mkdirSync(path);
  return path;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "random tree %p: the same layer wherever and however it was made, and once more when it was unpacked",
  async (seed) => {
    const nodes = randomTree(seed, { whiteouts: true, extremes: true });
    expect(nodes.length).toBeGreaterThan(20);
    const trees = [directory(scratch, `disk-${seed}`), directory(memory, `memory-${seed}`)];
    for (const [index, tree] of trees.entries()) plantTree(tree, nodes, 100 * seed + index);
    const [first, second] = [await pack(trees[0] ?? ""), await pack(trees[1] ?? "")];
    expect(second.diffId).toBe(first.diffId);
    expect(second.digest).toBe(first.digest);
    // Holes are written as the zeros that they are read as: sparse members are not for every reader.
    expect(first.tar.length).toBeGreaterThan(nodes.reduce((bytes, { hole }) => bytes + hole, 0));
    expect(first.tar.includes("GNU.sparse")).toBe(false);
    const unpacked = directory(memory, `unpacked-${seed}`);
    await unpackTar(workers, first.tar, unpacked);
    expect((await pack(unpacked)).digest).toBe(first.digest);
  },
);

/** Packs a random tree and unpacks it again; one line for each file, but for the root, which has no entry. */
async function packedAndUnpacked(seed: number, extremes: boolean) {
  const made = directory(memory, `made-${seed}`);
  plantTree(made, randomTree(seed, { whiteouts: false, extremes }), seed);
  const layer = await pack(made);
  const unpacked = directory(memory, `ours-${seed}`);
  await unpackTar(workers, layer.tar, unpacked);
  return { layer, files: filesOf(unpacked) };
}

const filesOf = (root: string) => describeTree(root).slice(1);

test.each([21, 22])("random tree %p: GNU tar unpacks what gantry unpacks", async (seed) => {
  const { layer, files } = await packedAndUnpacked(seed, true);
  const root = directory(memory, `gnu-${seed}`);
  const options = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", "-xzpf", layer.path];
  await mustRun(["tar", ...options, "-C", root], { env: { LC_ALL: "C" } });
  expect(filesOf(root)).toEqual(files);
});

test.each([23, 24])("random tree %p: umoci unpacks what gantry unpacks", async (seed) => {
  const { layer, files } = await packedAndUnpacked(seed, false);
  const bundle = join(memory, `umoci-${seed}`);
  await mustRun(["umoci", "unpack", "--image", `${layoutOf(layer, seed)}:it`, bundle]);
  expect(filesOf(join(bundle, "rootfs"))).toEqual(files);
});

/** An OCI layout with an image of one layer, tagged `it`. */
function layoutOf(layer: Awaited<ReturnType<typeof pack>>, seed: number): string {
  const layout = directory(scratch, `layout-${seed}`);
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const put = (mediaType: string, bytes: Uint8Array) => {
    const digest = digestOf(bytes);
    writeFileSync(join(layout, "blobs/sha256", digestHex(digest)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const putJson = (kind: string, value: object) =>
    put(`application/vnd.oci.image.${kind}.v1+json`, Buffer.from(JSON.stringify(value)));
  const rootfs = { type: "layers", diff_ids: [layer.diffId] };
  const config = putJson("config", { architecture: "amd64", os: "linux", config: {}, rootfs });
  const layers = [put("application/vnd.oci.image.layer.v1.tar+gzip", readFileSync(layer.path))];
  const manifest = putJson("manifest", { schemaVersion: 2, config, layers });
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": "it" } };
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  writeFileSync(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return layout;
}
