import { afterAll, describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Snapshotter } from "../../../src/core/snapshots/contract.ts";
import { mountPoints } from "../../../src/core/snapshots/mount-points.ts";
import { OverlaySnapshotter } from "../../../src/core/snapshots/overlay-snapshotter.ts";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { chainId } from "../../../src/formats/chain-id.ts";
import { type Digest, digestOf } from "../../../src/formats/digest.ts";
import { getXattr } from "../../../src/kernel/xattrs.ts";
import { createLog } from "../../../src/log/log.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import {
  describeTree,
  directory,
  type Entry,
  file,
  hardlink,
  layerTar,
  mtime,
  namesIn,
  symlink,
  unpackTar,
} from "./layers.ts";

const scratch = scratchDirectory("unpack");
const workers = new WorkerPool({ workers: 1 });
const lines: string[] = [];
const log = createLog("warn", (line) => lines.push(line));
const snapshots = new OverlaySnapshotter({ root: join(scratch, "snapshots"), trees: workers, log });
let keys = 0;

afterAll(async () => {
  for (const key of snapshots.keys()) await snapshots.remove(key);
  await snapshots.close();
  workers.close();
  expect(mountPoints().filter((path) => path.startsWith(scratch))).toEqual([]);
  expect(lines).toEqual([]);
  rmSync(scratch, { recursive: true, force: true });
});

const newDirectory = () => join(scratch, `d${++keys}`);

async function addLayer(
  on: Snapshotter,
  parent: Digest | undefined,
  entries: readonly Entry[],
): Promise<Digest> {
  const tar = await layerTar(entries);
  const diffId = digestOf(tar);
  const id = chainId(parent, diffId);
  const draft = await on.draft(id, parent);
  if (draft === undefined) return id;
  const { sizeBytes, impliedDirectories } = await unpackTar(workers, tar, draft.directory);
  await draft.commit({ diffId, sizeBytes, impliedDirectories });
  return id;
}

/** Mounts a container root of these layers, base first. */
async function mountLayers(layers: readonly (readonly Entry[])[]): Promise<string> {
  let top: Digest | undefined;
  for (const entries of layers) top = await addLayer(snapshots, top, entries);
  const key = `key${++keys}`;
  await snapshots.prepare(key, top);
  return snapshots.mount(key).merged;
}

const base = [
  directory("etc"),
  file("etc/passwd", "root"),
  file("etc/gone", "x"),
  directory("var"),
  directory("var/lib"),
  file("var/lib/a", "a"),
  file("var/lib/b", "b"),
];

describe("layers on top of each other", () => {
  test.each<[string, Entry[], string[]]>([
    [
      "a whiteout hides a file",
      [file("etc/.wh.gone")],
      ["etc", "etc/passwd", "var", "var/lib", "var/lib/a", "var/lib/b"],
    ],
    ["a whiteout hides a directory", [file(".wh.var")], ["etc", "etc/gone", "etc/passwd"]],
    [
      "a whiteout of nothing is not seen",
      [file("etc/.wh.never")],
      ["etc", "etc/gone", "etc/passwd", "var", "var/lib", "var/lib/a", "var/lib/b"],
    ],
    [
      "an opaque directory hides what was in it",
      [directory("var/lib"), file("var/lib/.wh..wh..opq"), file("var/lib/c")],
      ["etc", "etc/gone", "etc/passwd", "var", "var/lib", "var/lib/c"],
    ],
    [
      "its order does not matter",
      [file("var/lib/c"), file("var/lib/.wh..wh..opq")],
      ["etc", "etc/gone", "etc/passwd", "var", "var/lib", "var/lib/c"],
    ],
    [
      "a directory that was removed and made anew",
      [file(".wh.var"), directory("var"), file("var/new")],
      ["etc", "etc/gone", "etc/passwd", "var", "var/new"],
    ],
    [
      "made anew without an entry of its own",
      [file(".wh.var"), file("var/new/x")],
      ["etc", "etc/gone", "etc/passwd", "var", "var/new", "var/new/x"],
    ],
    [
      "made anew before its whiteout",
      [file("var/new"), file(".wh.var")],
      ["etc", "etc/gone", "etc/passwd", "var", "var/new"],
    ],
    [
      "a file that was removed and made anew",
      [file(".wh.etc"), file("etc", "now a file")],
      ["etc", "var", "var/lib", "var/lib/a", "var/lib/b"],
    ],
    [
      "a whiteout hides nothing of its own layer",
      [file("etc/new"), file("etc/.wh.new")],
      ["etc", "etc/gone", "etc/new", "etc/passwd", "var", "var/lib", "var/lib/a", "var/lib/b"],
    ],
    ["an opaque root", [file(".wh..wh..opq"), file("only")], ["only"]],
    ["a file over a directory", [file("var", "file")], ["etc", "etc/gone", "etc/passwd", "var"]],
    [
      "book-keeping of aufs is skipped",
      [directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", "x"), file(".wh..wh.aufs")],
      ["etc", "etc/gone", "etc/passwd", "var", "var/lib", "var/lib/a", "var/lib/b"],
    ],
  ])("%s", async (_, upper, names) => {
    expect(namesIn(await mountLayers([base, upper]))).toEqual(names);
  });

  test("implied directories look like those below them", async () => {
    const merged = await mountLayers([
      [
        directory("./", { mode: 0o711 }),
        directory("tmp", { mode: 0o1777, uid: 3, gid: 4, xattrs: { "user.k": "v" } }),
        directory("gone", { mode: 0o700 }),
      ],
      [file(".wh.gone")],
      [file("tmp/sub/x"), file("gone/y")],
    ]);
    const attributes = (path: string) => {
      const { mode, uid, gid } = lstatSync(join(merged, path));
      return [(mode & 0o7777).toString(8), uid, gid];
    };
    expect(attributes("tmp")).toEqual(["1777", 3, 4]);
    expect(lstatSync(join(merged, "tmp"), { bigint: true }).mtimeNs).toBe(1_600_000_000_123_456_789n);
    expect(Buffer.from(getXattr(join(merged, "tmp"), "user.k") ?? []).toString()).toBe("v");
    expect(attributes("tmp/sub")).toEqual(["755", 0, 0]);
    expect(attributes("gone")).toEqual(["755", 0, 0]);
    expect(attributes(".")).toEqual(["711", 0, 0]);
  });
});

describe("attributes", () => {
  test("everything that an entry says is on the disk", async () => {
    const root = newDirectory();
    const capability = Buffer.from("0100000200040000000000000000000000000000", "hex").toString("latin1");
    const tar = await layerTar([
      directory("d", { mode: 0o2750, uid: 5, gid: 6 }),
      file("d/suid", "x", { mode: 0o6755, uid: 1000, gid: 1001 }),
      file("d/cap", "x", {
        xattrs: { "security.capability": capability, "user.name": "value\0", "user.empty": "" },
      }),
      { ...symlink("d/link", "../target"), uid: 7, gid: 8 },
      hardlink("d/hard", "d/suid"),
      { path: "d/null", type: "character-device", deviceMajor: 1, deviceMinor: 3, mode: 0o666 },
      { path: "d/sda", type: "block-device", deviceMajor: 8, deviceMinor: 300, mode: 0o660 },
      { path: "d/fifo", type: "fifo", mode: 0o600 },
      file("d/old", "", { mtime: { seconds: -5, nanoseconds: 7 } }),
      directory("d", { mode: 0o2751, uid: 5, gid: 6 }),
    ]);
    const { sizeBytes, entries } = await unpackTar(workers, tar, root);
    expect([sizeBytes, entries]).toEqual([2, 10]);
    const lines = describeTree(root).slice(1);
    const ns = "1600000000123456789";
    const x = digestOf("x").slice(7);
    const empty = digestOf("").slice(7);
    const device = (major: number, minor: number) =>
      ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
    expect(lines.map((line) => line.replace(/ +/g, " ").trim())).toEqual([
      `"d" 42751 5:6 ${ns}`,
      `"d/cap" 100644 0:0 ${ns} 1 0 ${x} security.capability=${Buffer.from(capability, "latin1").toString("hex")} user.empty= user.name=76616c756500`,
      `"d/fifo" 10600 0:0 ${ns} 0 0`,
      `"d/hard" 106755 1000:1001 ${ns} 1 0 ${x}`,
      `"d/link" 120777 7:8 ${ns} 9 0 ../target`,
      `"d/null" 20666 0:0 ${ns} 0 ${device(1, 3)}`,
      `"d/old" 100644 0:0 -4999999993 0 0 ${empty}`,
      `"d/sda" 60660 0:0 ${ns} 0 ${device(8, 300)}`,
      `"d/suid" 106755 1000:1001 ${ns} 1 0 ${x} = d/hard`,
    ]);
  });

  test("names of any bytes survive", async () => {
    const root = newDirectory();
    const tar = await layerTar([file("x", "", { mtime: { seconds: 1, nanoseconds: 0 } }), directory("d")]);
    // The writer's own names are UTF-8 here: patch one into bytes that are none.
    const at = 0; // the first header begins with its name
    tar[at] = 0xe9;
    const checksum = tar.subarray(0, 512);
    checksum.fill(0x20, 148, 156);
    checksum.write(
      `${checksum
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
      "latin1",
    );
    await unpackTar(workers, tar, root);
    expect(readdirSync(root, { encoding: "buffer" }).map((name) => name.toString("hex"))).toContain("e9");
  });

  test("a directory's time is that of its entry, whatever came into it later", async () => {
    const root = newDirectory();
    await unpackTar(
      workers,
      await layerTar([directory("d"), file("d/x"), directory("d/e"), file("d/e/y")]),
      root,
    );
    for (const path of ["d", "d/e"])
      expect(lstatSync(join(root, path)).mtime.getTime()).toBe(mtime.seconds * 1000 + 123);
  });

  test("a directory that became a file keeps the file's time", async () => {
    const root = newDirectory();
    const late = { seconds: 1_700_000_000, nanoseconds: 0 };
    await unpackTar(workers, await layerTar([directory("d"), file("d", "x", { mtime: late })]), root);
    expect(lstatSync(join(root, "d")).mtime.getTime()).toBe(late.seconds * 1000);
  });
});

describe("compressions", () => {
  test.each([
    ["plain", (tar: Buffer) => tar],
    ["gzip", (tar: Buffer) => gzipSync(tar)],
    [
      "gzip in several members",
      (tar: Buffer) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
    ],
    ["zstd", (tar: Buffer) => zstdCompressSync(tar)],
    [
      "zstd in several frames",
      (tar: Buffer) =>
        Buffer.concat([zstdCompressSync(tar.subarray(0, 700)), zstdCompressSync(tar.subarray(700))]),
    ],
    [
      "zstd after a skippable frame",
      (tar: Buffer) =>
        Buffer.concat([Buffer.from("502a4d180200000061 62".replace(" ", ""), "hex"), zstdCompressSync(tar)]),
    ],
  ] as const)("%s", async (_, compress) => {
    const root = newDirectory();
    const tar = await layerTar([file("big", "text ".repeat(200_000))]);
    await unpackTar(workers, tar, root, { blob: compress(tar) });
    expect(readFileSync(join(root, "big"), "utf8")).toBe("text ".repeat(200_000));
  });
});

test("an empty layer is an empty directory", async () => {
  const root = newDirectory();
  mkdirSync(root);
  const result = await unpackTar(workers, await layerTar([]), root);
  expect(result).toMatchObject({ entries: 0, sizeBytes: 0, impliedDirectories: [""], warnings: [] });
  expect(namesIn(root)).toEqual([]);
});
