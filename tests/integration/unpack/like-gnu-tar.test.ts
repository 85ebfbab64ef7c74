import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { deviceNumber, mknodat, S_IFBLK, S_IFCHR, S_IFIFO } from "../../../src/kernel/files.ts";
import { setXattr } from "../../../src/kernel/xattrs.ts";
import { mustRun } from "../../fixtures/command.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { describeTree, unpackTar } from "./layers.ts";

const scratch = scratchDirectory("gnu-tar");
const workers = new WorkerPool({ workers: 1 });
const made = join(scratch, "made");
const anyDirectory = -100; // AT_FDCWD; the paths are absolute

beforeAll(() => makeTree(made));
afterAll(() => {
  workers.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Something of everything that a file system can hold. */
function makeTree(root: string): void {
  const at = (path: string) => join(root, path);
  const deep = Array.from({ length: 12 }, (_, level) => `level-${level}-with-a-long-name`).join("/");
  for (const path of ["", "dir", "dir/empty", "sticky", "é漢", deep])
    mkdirSync(at(path), { recursive: true });
  chmodSync(at("sticky"), 0o1777);
  chmodSync(at("dir/empty"), 0o2700);
  for (const size of [0, 1, 511, 512, 513, 262_144, 300_001])
    writeFileSync(at(`dir/size-${size}`), Buffer.alloc(size, size));
  writeFileSync(at(`${deep}/${"f".repeat(180)}`), "deep");
  writeFileSync(at("é漢/ü"), "unicode");
  writeFileSync(Buffer.concat([Buffer.from(`${root}/latin-`), Buffer.of(0xe9)]), "bytes");
  writeFileSync(at("setuid"), "s");
  chownSync(at("setuid"), 1234, 4_000_000);
  chmodSync(at("setuid"), 0o6711);
  linkSync(at("setuid"), at("dir/another-name"));
  symlinkSync("../outside/and/away", at("dir/link"));
  symlinkSync(`/${"t".repeat(200)}`, at("long-link"));
  lchownSync(at("dir/link"), 55, 66);
  linkSync(at("dir/link"), at("same-link"));
  mknodat(anyDirectory, at("dir/fifo"), S_IFIFO | 0o640);
  mknodat(anyDirectory, at("null"), S_IFCHR | 0o666, deviceNumber(1, 3));
  mknodat(anyDirectory, at("disk"), S_IFBLK | 0o660, deviceNumber(259, 70_000));
  setXattr(at("setuid"), "user.comment", Buffer.from("some\nbytes\0\xff", "latin1"));
  setXattr(at("setuid"), "trusted.mine", Buffer.from("1"));
  setXattr(
    at("setuid"),
    "security.capability",
    Buffer.from("0100000200040000000000000000000000000000", "hex"),
  );
  setXattr(at("dir"), "user.dir", Buffer.from("d"));
  utimesSync(at("dir/size-0"), 1.25, -3.5);
  utimesSync(at("dir/size-1"), 1, 5_000_000_000.125);
  utimesSync(at("dir"), 1, 1_000_000_000.000001);
}

/** Five bytes at each of `offsets`, and holes elsewhere. */
function makeSparse(path: string, size: number, offsets: readonly number[]): void {
  const fd = openSync(path, "wx");
  for (const offset of offsets) writeSync(fd, "12345", offset);
  ftruncateSync(fd, size);
  closeSync(fd);
}

/** GNU tar packs; it and gantry unpack; the trees have to be the same. */
async function compare(format: string, packOptions: readonly string[], sources: readonly string[]) {
  const archive = join(scratch, `${format}.tar`);
  const reference = join(scratch, `${format}-tar`);
  const ours = join(scratch, `${format}-gantry`);
  mkdirSync(reference);
  const xattrs = ["--xattrs", "--xattrs-include=*"];
  await mustRun(["tar", ...packOptions, "-cf", archive, ...sources]);
  await mustRun(["tar", ...xattrs, "--numeric-owner", "--same-owner", "-xpf", archive, "-C", reference]);
  await unpackTar(workers, readFileSync(archive), ours);
  return { ours: describeTree(ours), reference: describeTree(reference) };
}

describe("unpacks as `tar -x` of GNU tar does", () => {
  test("PAX with extended attributes and nanoseconds", async () => {
    const options = ["--format=posix", "--xattrs", "--xattrs-include=*", "--numeric-owner"];
    const { ours, reference } = await compare("posix", options, ["-C", made, "."]);
    expect(ours).toEqual(reference);
    expect(ours).toEqual(describeTree(made));
  });

  test("GNU format", async () => {
    const { ours, reference } = await compare("gnu", ["--format=gnu", "--numeric-owner"], ["-C", made, "."]);
    expect(ours).toEqual(reference);
    expect(ours.length).toBeGreaterThan(30);
  });

  test.each([
    ["GNU", "gnu", ["--format=gnu"]],
    ["PAX 0.0", "pax-0.0", ["--format=posix", "--sparse-version=0.0"]],
    ["PAX 0.1", "pax-0.1", ["--format=posix", "--sparse-version=0.1"]],
    ["PAX 1.0", "pax-1.0", ["--format=posix", "--sparse-version=1.0"]],
  ])("sparse files in the form %s, and their holes stay holes", async (_name, format, options) => {
    const source = join(scratch, `sparse-${format}-source`);
    mkdirSync(source);
    makeSparse(join(source, "hole"), 4 << 20, []);
    makeSparse(join(source, "begins with data"), 1 << 20, [0]);
    makeSparse(join(source, "ends with data"), (1 << 20) + 5, [1 << 20]);
    // More parts than a header and a continuation of GNU's have.
    const many = Array.from({ length: 60 }, (_, at) => (2 * at + 1) << 16);
    makeSparse(join(source, "a".repeat(150)), 60 << 17, many);
    writeFileSync(join(source, "plain"), "plain");
    const pack = ["--sparse", "--numeric-owner", ...options];
    const { ours, reference } = await compare(`sparse-${format}`, pack, ["-C", source, "."]);
    expect(ours).toEqual(reference);
    const unpacked = (name: string) => statSync(join(scratch, `sparse-${format}-gantry`, name));
    expect(unpacked("hole")).toMatchObject({ size: 4 << 20, blocks: 0 });
    expect(unpacked("a".repeat(150)).blocks * 512).toBeLessThan(2 << 20);
  });

  test("a real tree", async () => {
    const options = ["--format=posix", "--numeric-owner", "--xattrs", "--xattrs-include=*"];
    const { ours, reference } = await compare("real", options, [
      "-C",
      "/",
      "usr/share/doc",
      "usr/sbin",
      "bin",
      "lib64",
    ]);
    // `usr` and the root have no entry: their times are those of the unpacking.
    const described = (lines: string[]) => lines.filter((line) => !/^"(\.|usr|usr\/share)" /.test(line));
    expect(described(ours)).toEqual(described(reference));
    expect(ours.length).toBeGreaterThan(100);
  }, 60_000);
});
