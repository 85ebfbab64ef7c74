import { afterAll, describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { digestOf } from "../../../src/formats/digest.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import {
  describeTree,
  directory,
  file,
  hardlink,
  layerTar,
  mtime,
  namesIn,
  symlink,
  unpackTar,
} from "./layers.ts";
import { eStargz, zstdChunked } from "./seekable-layers.ts";

const scratch = scratchDirectory("unpack");
const workers = new WorkerPool({ workers: 1 });
let directories = 0;

afterAll(() => {
  workers.close();
  rmSync(scratch, { recursive: true, force: true });
});

const newDirectory = () => join(scratch, `d${++directories}`);

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
    ["estargz", eStargz],
    ["zstd:chunked", zstdChunked],
  ] as const)("%s", async (_, compress) => {
    const root = newDirectory();
    const tar = await layerTar([file("big", "text ".repeat(200_000)), file("stargz.index.json", "{}")]);
    await unpackTar(workers, tar, root, { blob: compress(tar) });
    // The table of contents is a file like others, as for every reader that does not know it.
    expect(namesIn(root)).toEqual(["big", "stargz.index.json"]);
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
