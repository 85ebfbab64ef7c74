import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Snapshotter } from "../../../src/core/snapshots/contract.ts";
import { FileSnapshotter } from "../../../src/core/snapshots/file-snapshotter.ts";
import { mountPoints } from "../../../src/core/snapshots/mount-points.ts";
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
  namesIn,
  symlink,
  unpackTar,
} from "../unpack/layers.ts";
import { storageDrivers } from "./storage-drivers.ts";

const scratch = scratchDirectory("stacked");
const workers = new WorkerPool({ workers: 1 });
const lines: string[] = [];
const log = createLog("warn", (line) => lines.push(line));
let keys = 0;
/** The first driver's view of the test tree: all others have to show the same. */
let shown: string[] | undefined;

afterAll(() => {
  workers.close();
  expect(mountPoints().filter((path) => path.startsWith(scratch))).toEqual([]);
  expect(lines).toEqual([]);
  rmSync(scratch, { recursive: true, force: true });
});

/** Commits a layer of these entries. */
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
  const { sizeBytes, impliedDirectories } = await unpackTar(workers, tar, draft.directory, {
    whiteouts: draft.whiteouts,
  });
  await draft.commit({ diffId, sizeBytes, impliedDirectories });
  return id;
}

/** Mounts a container root of these layers, base first. */
async function mountLayers(snapshots: Snapshotter, layers: readonly (readonly Entry[])[]): Promise<string> {
  let top: Digest | undefined;
  for (const entries of layers) top = await addLayer(snapshots, top, entries);
  const key = `key${++keys}`;
  await snapshots.prepare(key, top);
  return snapshots.mount(key).merged;
}

/** What the init layer adds to these images. */
const made = new Set(
  [".dockerenv", "dev", "dev/console", "dev/pts", "dev/shm", "proc", "sys"].concat([
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
  ]),
);

const base = [
  directory("etc"),
  file("etc/passwd", "root"),
  file("etc/gone", "x"),
  directory("var"),
  directory("var/lib"),
  file("var/lib/a", "a"),
  file("var/lib/b", "b"),
];

describe.each(storageDrivers)("layers on top of each other, with %s", (driver, createDriver) => {
  let snapshots: FileSnapshotter;
  beforeAll(() => {
    snapshots = new FileSnapshotter({
      root: join(scratch, driver),
      driver: createDriver(workers),
      trees: workers,
      log,
    });
  });
  afterAll(async () => {
    for (const key of snapshots.keys()) await snapshots.remove(key);
    for (const { chainId } of snapshots.layers().toReversed()) await snapshots.removeLayer(chainId);
    await snapshots.close();
  });

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
    ["an opaque root", [file(".wh..wh..opq"), file("only")], ["etc", "only"]], // etc: of the init layer
    ["a file over a directory", [file("var", "file")], ["etc", "etc/gone", "etc/passwd", "var"]],
    [
      "book-keeping of aufs is skipped",
      [directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", "x"), file(".wh..wh.aufs")],
      ["etc", "etc/gone", "etc/passwd", "var", "var/lib", "var/lib/a", "var/lib/b"],
    ],
  ])("%s", async (_, upper, names) => {
    const shownNames = namesIn(await mountLayers(snapshots, [base, upper]));
    expect(shownNames.filter((name) => !made.has(name))).toEqual(names);
  });

  test("implied directories look like those below them", async () => {
    const merged = await mountLayers(snapshots, [
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

  test("all that layers can say is in the root, as overlayfs would show it", async () => {
    const capability = Buffer.from("0100000200040000000000000000000000000000", "hex").toString("latin1");
    const merged = await mountLayers(snapshots, [
      [
        directory("./", { mode: 0o751, uid: 9, gid: 9 }),
        directory("etc"),
        directory("d", { mode: 0o2750, uid: 5, gid: 6, xattrs: { "user.lower": "1" } }),
        file("d/suid", "x", { mode: 0o6755, uid: 1000, gid: 1001 }),
        file("d/cap", "x", { xattrs: { "security.capability": capability, "user.name": "value\0" } }),
        { ...symlink("d/link", "../target"), uid: 7, gid: 8 },
        hardlink("d/hard", "d/suid"),
        file("big", "0123456789".repeat(20_000)),
        file("long", "", { xattrs: { "user.long": "y".repeat(2000) } }),
        directory("replaced"),
        file("replaced/by", "x"),
      ],
      [
        directory("d", { mode: 0o755, uid: 1, gid: 2, xattrs: { "user.upper": "2" } }),
        { path: "d/null", type: "character-device", deviceMajor: 1, deviceMinor: 3, mode: 0o666 },
        { path: "d/sda", type: "block-device", deviceMajor: 8, deviceMinor: 300, mode: 0o660 },
        { path: "d/fifo", type: "fifo", mode: 0o600 },
        { ...symlink("replaced", "d"), uid: 3 },
        file("d/new", "", { mtime: { seconds: 4_500_000_000, nanoseconds: 7 } }),
        directory("many"),
        ...Array.from({ length: 300 }, (_, at) => file(`many/file-with-a-long-name-${at}`, `${at}`)),
      ],
    ]);
    const tree = describeTree(merged).filter((line) => !made.has(/^"(.*?)"/.exec(line)?.[1] ?? ""));
    shown ??= tree;
    expect(tree).toHaveLength(315);
    expect(tree).toEqual(shown);
  });
});
