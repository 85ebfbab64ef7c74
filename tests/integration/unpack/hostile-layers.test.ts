import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { UnpackLimits } from "../../../src/core/unpack/contract.ts";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { digestOf } from "../../../src/formats/digest.ts";
import { formatPaxRecords } from "../../../src/formats/tar/pax-records.ts";
import { getXattr } from "../../../src/kernel/xattrs.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { directory, type Entry, file, hardlink, layerTar, namesIn, symlink, unpackTar } from "./layers.ts";

const scratch = scratchDirectory("hostile");
const workers = new WorkerPool({ workers: 1 });
afterAll(() => {
  workers.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** A root for a layer, and beside it what no layer may touch. */
function makePlace() {
  const place = mkdtempSync(join(scratch, "p-"));
  const outside = join(place, "outside");
  mkdirSync(join(outside, "dir"), { recursive: true });
  writeFileSync(join(outside, "canary"), "alive");
  const describeOutside = () =>
    readdirSync(outside, { recursive: true, encoding: "utf8" })
      .sort()
      .map((name) => {
        const { mode, uid, mtimeNs, nlink } = statSync(join(outside, name), { bigint: true });
        return [name, mode, uid, mtimeNs, nlink].join(" ");
      });
  const before = describeOutside();
  return {
    root: join(place, "root"),
    outside,
    expectUntouched() {
      expect(readFileSync(join(outside, "canary"), "utf8")).toBe("alive");
      expect(describeOutside()).toEqual(before);
      expect(readdirSync(place).filter((name) => name !== "root")).toEqual(["outside"]);
    },
  };
}

type Attack = (outside: string) => Entry[];
const deep = (levels: number) => Array.from({ length: levels }, () => "d").join("/");

describe("an attack is an error that names layer and entry, and touches nothing outside", () => {
  const attacks: readonly [string, Attack, string, Partial<UnpackLimits>?][] = [
    ["`..`", () => [file("../outside/canary", "dead")], 'entry "../outside/canary": its path leads out'],
    ["`..` after a directory", () => [file("a/../../outside/canary", "dead")], "leads out"],
    ["absolute with `..`", () => [file("/../outside/canary", "dead")], "leads out"],
    ["`..` as a directory", () => [directory("..", { mode: 0 })], "leads out"],
    ["`..` in a whiteout", () => [file("../outside/.wh.canary")], "leads out"],
    ["a whiteout of `..`", () => [file(".wh...")], "not a valid whiteout"],
    ["a whiteout of `.`", () => [file("a/.wh..")], "not a valid whiteout"],
    ["below a whiteout", () => [file("a/.wh.b/c")], "not a valid whiteout"],
    ["hard link to `..`", () => [hardlink("x", "../outside/canary")], "leads out"],
    [
      "hard link through a symlink",
      (out) => [symlink("l", out), hardlink("x", "l/canary")],
      "not in the layer",
    ],
    [
      "hard link through a relative symlink",
      () => [symlink("l", "../outside"), hardlink("x", "l/canary")],
      "not in the layer",
    ],
    ["hard link to nothing", () => [hardlink("x", "absent")], "no such file"],
    ["hard link to a directory", () => [directory("d"), hardlink("x", "d")], "a directory"],
    ["hard link to the root", () => [hardlink("x", "/")], "not in the layer"],
    ["hard link to nothing at all", () => [hardlink("x", "")], "not in the layer"],
    ["a parent that is a file", () => [file("a"), file("a/b")], "not a directory"],
    [
      "a parent that is a symlink to nothing",
      (out) => [symlink("l", `${out}/absent`), file("l/x", "dead")],
      "symlink to nothing",
    ],
    [
      "a parent that is a circle of symlinks",
      () => [symlink("a", "b"), symlink("b", "a"), file("a/x")],
      "too many levels",
    ],
    [
      "the root as a file",
      () => [file("./")].map((entry) => ({ ...entry, type: "symlink" as const, linkPath: "/" })),
      "root of a layer has to be a directory",
    ],
    ["a symlink without a target", () => [symlink("l", "")], "without a target"],
    ["a name that is too long", () => [file("n".repeat(256))], "file name too long"],
    [
      "a path that is too long",
      () => [file(Array.from({ length: 25 }, () => "n".repeat(200)).join("/"))],
      "file name too long",
    ],
    ["a path that is too deep", () => [file(`${deep(257)}/x`)], "more than 256 directories deep"],
    [
      "a tree made deep by symlinks",
      () => [directory(deep(200)), symlink("s", deep(200)), file(`s/${deep(200)}/x`)],
      "more than 256 directories deep",
    ],
    ["an owner out of range", () => [file("x", "", { uid: 2 ** 32 - 1 })], "out of range"],
    [
      "a device number out of range",
      () => [{ path: "x", type: "character-device", deviceMajor: 5000 }],
      "out of range",
    ],
    [
      "a flood of devices",
      () =>
        Array.from(
          { length: 11 },
          (_, n): Entry => ({ path: `d${n}`, type: "block-device", deviceMajor: 8 }),
        ),
      "more than 10 devices",
      { devices: 10 },
    ],
    [
      "a flood of entries",
      () => Array.from({ length: 101 }, (_, n) => file(`f${n}`)),
      "more than 100 files",
      { entries: 100 },
    ],
    [
      "a flood of implied directories",
      () => [file(`${deep(101)}/x`)],
      "more than 100 files",
      { entries: 100 },
    ],
    [
      "too many bytes",
      () => [file("a", "x".repeat(6000)), file("b", "x".repeat(6000))],
      "more than 10000 bytes",
      { unpackedBytes: 10_000 },
    ],
  ];
  // A column that is sometimes missing would make the runner take the last parameter for a callback.
  test.each(attacks.map(([name, attack, message, limits = {}]) => [name, attack, message, limits] as const))(
    "%s",
    async (_, attack, message, limits) => {
      const place = makePlace();
      const tar = await layerTar(attack(place.outside));
      const error = await unpackTar(workers, tar, place.root, { limits }).then(
        () => expect.unreachable("unpacked"),
        (error: Error) => error,
      );
      expect(error.message).toContain(message);
      expect(error.message).toStartWith(`layer ${digestOf(tar)}: `);
      place.expectUntouched();
    },
  );
});

describe("what looks like an attack stays inside", () => {
  test.each<[string, Attack, string[]]>([
    ["an absolute name", () => [file("/etc/passwd", "mine")], ["etc", "etc/passwd"]],
    ["`..` that does not lead out", () => [file("a/../b", "mine")], ["b"]],
    ["a file over a symlink", (out) => [symlink("x", `${out}/canary`), file("x", "mine")], ["x"]],
    [
      "a directory over a symlink",
      (out) => [symlink("x", `${out}/dir`), directory("x", { mode: 0o777 }), file("x/y", "mine")],
      ["x", "x/y"],
    ],
    [
      "below an absolute symlink",
      () => [directory("in"), symlink("l", "/in"), file("l/y", "mine")],
      ["in", "in/y", "l"],
    ],
    [
      "below a symlink with many `..`",
      () => [directory("in"), symlink("l", "../../../../in"), file("l/y", "mine")],
      ["in", "in/y", "l"],
    ],
    [
      "hard link to a symlink",
      (out) => [symlink("l", `${out}/canary`), hardlink("x", "l"), file("x", "mine")],
      ["l", "x"],
    ],
    ["hard link to itself", () => [file("x", "mine"), hardlink("x", "x")], ["x"]],
    ["a file over a full directory", () => [file("d/e/f"), file("d", "mine")], ["d"]],
    [
      "a device",
      () => [
        { path: "null", type: "character-device", deviceMajor: 1, deviceMinor: 3 },
        file("null", "mine"),
      ],
      ["null"],
    ],
  ])("%s", async (_, attack, names) => {
    const place = makePlace();
    await unpackTar(workers, await layerTar(attack(place.outside)), place.root);
    expect(namesIn(place.root)).toEqual(names);
    place.expectUntouched();
  });

  test("attributes of overlayfs and of security modules are not taken", async () => {
    const place = makePlace();
    const xattrs = {
      "trusted.overlay.redirect": "/outside",
      "trusted.overlay.opaque": "y",
      "user.overlay.opaque": "y",
      "security.selinux": "root_t",
      "trusted.mine": "kept",
    };
    const { warnings } = await unpackTar(workers, await layerTar([directory("d", { xattrs })]), place.root);
    expect(warnings).toHaveLength(4);
    expect(warnings[0]).toBe('entry "d": attribute "security.selinux" is not taken from layers');
    expect(getXattr(join(place.root, "d"), "trusted.overlay.redirect")).toBeUndefined();
    expect(Buffer.from(getXattr(join(place.root, "d"), "trusted.mine") ?? []).toString()).toBe("kept");
  });
});

describe("broken blobs", () => {
  const tar = () => layerTar([file("big", "content ".repeat(100_000))]);
  test.each<[string, (tar: Buffer) => Uint8Array, string]>([
    ["cut", (tar) => tar.subarray(0, 2000), "archive is truncated"],
    ["gzip cut", (tar) => gzipSync(tar).subarray(0, 800), "corrupt gzip data"],
    ["zstd cut", (tar) => zstdCompressSync(tar).subarray(0, 60), "does not match its diff id"],
    [
      "gzip with garbage after it",
      (tar) => Buffer.concat([gzipSync(tar), Buffer.from("garbage")]),
      "corrupt gzip data",
    ],
    [
      "bytes after the end of the archive",
      (tar) => Buffer.concat([tar, Buffer.alloc(512)]),
      "does not match its diff id",
    ],
    [
      "other content",
      (tar) => Buffer.concat([tar.subarray(0, 600), Buffer.from("X"), tar.subarray(601)]),
      "does not match its diff id",
    ],
    ["text", () => Buffer.from("<html>not found</html>".repeat(100)), "not a tar archive"],
    ["bzip2", () => Buffer.from("BZh91AY&SY"), "compression bzip2 is not supported"],
    ["empty", () => Buffer.alloc(0), "does not match its diff id"],
    [
      "NUL in a name",
      () => {
        const body = formatPaxRecords(new Map([["path", "a\0b"]]));
        const header = Buffer.alloc(512);
        header.write("x");
        header.write(`${body.length.toString(8).padStart(11, "0")}\0`, 124);
        header.write("x", 156);
        header.fill(0x20, 148, 156);
        header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8)}\0`, 148);
        return Buffer.concat([header, Buffer.from(body.padEnd(512, "\0")), Buffer.alloc(1024)]);
      },
      "NUL in the extended header",
    ],
  ])("%s", async (_, breakIt, message) => {
    const place = makePlace();
    const whole = await tar();
    const blob = breakIt(whole);
    const unpacking = unpackTar(workers, whole, place.root, { blob });
    await expect(unpacking).rejects.toThrow(message);
    await expect(unpacking).rejects.toThrow(`layer ${digestOf(blob)}: `);
    place.expectUntouched();
  });

  test("a bomb below the limit is known by its ratio", async () => {
    const place = makePlace();
    const zeros = await layerTar([file("zeros", "\0".repeat(50_000_000))]);
    for (const blob of [gzipSync(zeros), zstdCompressSync(zeros)]) {
      const limits = { ratio: 200, uncheckedBytes: 1_000_000 };
      const unpacking = unpackTar(workers, blob, place.root, { limits });
      await expect(unpacking).rejects.toThrow(
        `layer ${digestOf(blob)}: unpacks to more than 200 times its size`,
      );
    }
    const mixed = Array.from({ length: 20_000 }, (_, index) => `${index}\n`).join("");
    const honest = await layerTar([file("numbers", mixed.repeat(20))]);
    await unpackTar(workers, honest, makePlace().root, {
      blob: gzipSync(honest),
      limits: { ratio: 200, uncheckedBytes: 1000 },
    });
  });

  test("a bomb is stopped at the limit", async () => {
    const place = makePlace();
    const blob = gzipSync(await layerTar([file("zeros", "\0".repeat(50_000_000))]));
    expect(blob.length).toBeLessThan(100_000);
    const limits = { unpackedBytes: 1_000_000 };
    await expect(unpackTar(workers, blob, place.root, { limits })).rejects.toThrow("more than 1000000 bytes");
    expect(existsSync(join(place.root, "zeros"))).toBe(false);
  });
});
