import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { readLayerEntries } from "../../../src/core/anatomy/read-layer-entries.ts";
import { commitChain } from "../../../src/core/snapshots/contract-suite.ts";
import { openSnapshotter } from "../../../src/core/snapshots/open-snapshotter.ts";
import { VfsDriver } from "../../../src/core/snapshots/vfs/vfs-driver.ts";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { messageOf } from "../../../src/errors/platform-error.ts";
import { digestHex } from "../../../src/formats/digest.ts";
import { MNT_DETACH, mount, unmount } from "../../../src/kernel/mounts.ts";
import { createLog } from "../../../src/log/log.ts";
import { mustRun } from "../../fixtures/command.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { UnderTest } from "./under-test.ts";

const scratch = scratchDirectory("vfs");
// A file system of its own: syncing that of the machine may take long.
mount({ source: "tmpfs", target: scratch, fstype: "tmpfs", flags: 0 });
const workers = new WorkerPool({ workers: 1 });
const log = createLog("error", () => undefined);
const start = (place = scratch) => new UnderTest(place, workers, (trees) => new VfsDriver(trees));

afterAll(() => {
  workers.close();
  unmount(scratch, MNT_DETACH);
  rmSync(scratch, { recursive: true, force: true });
});

test("trees of layers share their files, roots of containers do not", async () => {
  await using under = start();
  const [lower, upper] = await commitChain(under.snapshots, [{ "d/file": "1" }, { other: "2" }]);
  if (!lower || !upper) throw new Error("no layers");
  await under.snapshots.prepare("key", upper.chainId);
  const inLayer = (chainId: typeof lower.chainId) =>
    lstatSync(join(under.root, "layers", digestHex(chainId), "diff/d/file")).ino;
  expect(inLayer(upper.chainId)).toBe(inLayer(lower.chainId));
  const copy = join(under.snapshots.describe("key").upper, "d/file");
  expect(lstatSync(copy).ino).not.toBe(inLayer(upper.chainId));
  await under.snapshots.remove("key");
  await under.snapshots.removeLayer(upper.chainId);
  expect(readFileSync(join(under.root, "layers", digestHex(lower.chainId), "diff/d/file"), "utf8")).toBe("1");
});

test("a layer's own files are told from those of the tree below", async () => {
  await using under = start();
  const [lower, upper] = await commitChain(under.snapshots, [
    { "d/kept": "1", gone: "1", "x/y": "1" },
    { "d/new": "2", ".wh.gone": "" },
  ]);
  if (!lower || !upper) throw new Error("no layers");
  const entries = [...readLayerEntries(under.snapshots.layerFiles(upper.chainId))];
  expect(entries.map(({ type, path }) => `${type} ${path}`).sort()).toEqual([
    "directory ",
    "directory d",
    "directory x",
    "file d/new",
    "whiteout gone",
  ]);
});

test("a copy has the holes and the hard links of the original", async () => {
  await using under = start();
  const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
  if (!layer) throw new Error("no layer");
  const tree = join(under.root, "layers", digestHex(layer.chainId), "diff");
  const fd = openSync(join(tree, "sparse"), "w");
  writeSync(fd, "begin", 0);
  writeSync(fd, "middle", 8 << 20);
  ftruncateSync(fd, 64 << 20);
  closeSync(fd);
  mkdirSync(join(tree, "deep"));
  linkSync(join(tree, "a"), join(tree, "deep/link"));
  await under.snapshots.prepare("key", layer.chainId);
  const { upper } = under.snapshots.describe("key");
  expect(readFileSync(join(upper, "sparse")).equals(readFileSync(join(tree, "sparse")))).toBe(true);
  expect(lstatSync(join(upper, "sparse")).blocks * 512).toBeLessThan(1 << 20);
  expect(lstatSync(join(upper, "deep/link")).ino).toBe(lstatSync(join(upper, "a")).ino);
});

test("a container that is being made holds its layer; one that cannot be made leaves nothing", async () => {
  await using under = start();
  const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
  if (!layer) throw new Error("no layer");
  const [made, second, removed] = await Promise.allSettled([
    under.snapshots.prepare("key", layer.chainId),
    under.snapshots.prepare("key", layer.chainId),
    under.snapshots.removeLayer(layer.chainId),
  ]);
  expect(made.status).toBe("fulfilled");
  expect(second).toMatchObject({ reason: { message: "snapshot key exists already" } });
  expect(removed).toMatchObject({ reason: { message: expect.stringContaining("in use by container key") } });
  rmSync(join(under.root, "layers", digestHex(layer.chainId), "diff"), { recursive: true });
  const failure = await under.snapshots.prepare("other", layer.chainId).catch(messageOf);
  expect(failure).toContain("no such file or directory");
  expect(under.snapshots.keys()).toEqual(["key"]);
  expect(existsSync(join(under.root, "drafts/container-other"))).toBe(false);
});

describe("on btrfs", () => {
  const place = join(scratch, "btrfs");
  beforeAll(async () => {
    mkdirSync(place);
    await mustRun(["truncate", "-s", "160M", `${place}.img`]);
    await mustRun(["mkfs.btrfs", "-q", `${place}.img`]);
    await mustRun(["mount", "-o", "loop", `${place}.img`, place]);
  });
  afterAll(() => mustRun(["umount", place]));

  test("a copy shares the blocks of its files", async () => {
    await using under = start(place);
    const size = 60 << 20; // two of them would not fit
    const [layer] = await commitChain(under.snapshots, [{ big: "x".repeat(size) }]);
    for (const key of ["one", "two", "three"]) await under.snapshots.prepare(key, layer?.chainId);
    const { upper } = under.snapshots.describe("three");
    expect(lstatSync(join(upper, "big")).size).toBe(size);
  });
});

describe("where overlayfs cannot stand", () => {
  // On an overlay that is writable, another one cannot keep its whiteouts.
  const place = join(scratch, "overlay");
  const paths = ["lower", "upper", "work", "merged"].map((name) => join(place, name));
  const [lower = "", upper = "", work = "", merged = ""] = paths;
  beforeAll(() => {
    for (const path of paths) mkdirSync(path, { recursive: true });
    const data = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    mount({ source: "overlay", target: merged, fstype: "overlay", flags: 0, data });
  });
  afterAll(() => unmount(merged, MNT_DETACH));
  const open = (driver?: "overlay2" | "vfs") =>
    openSnapshotter({ root: join(merged, "snapshots"), driver, trees: workers, log });

  test("vfs is taken, and overlay2 refused with the reason", async () => {
    await expect(open("overlay2")).rejects.toThrow(
      /^--storage-driver overlay2: overlayfs does not work on .*\(overlayfs\)/,
    );
    const snapshots = await open();
    expect(snapshots.name).toBe("vfs");
    const [layer] = await commitChain(snapshots, [{ "d/a": "1" }]);
    await snapshots.prepare("key", layer?.chainId);
    const root = snapshots.mount("key");
    expect(readFileSync(join(root.merged, "d/a"), "utf8")).toBe("1");
    await snapshots.remove("key");
    await snapshots.close();
  });
});

test("a root keeps its driver; another one is refused while there are layers", async () => {
  const root = join(scratch, "kept");
  const open = (driver?: "overlay2" | "vfs") => openSnapshotter({ root, driver, trees: workers, log });
  const first = await open("vfs");
  const [layer] = await commitChain(first, [{ a: "1" }]);
  if (!layer) throw new Error("no layer");
  await first.close();
  await expect(open("overlay2")).rejects.toThrow(
    "--storage-driver overlay2: the layers and containers of this root are made with vfs",
  );
  const again = await open();
  expect([again.name, again.layers().length]).toEqual(["vfs", 1]);
  await again.removeLayer(layer.chainId);
  await again.close();
  expect((await open()).name).toBe("overlay2");
  writeFileSync(join(root, "driver"), "vfs\n");
  expect((await open("overlay2")).name).toBe("overlay2");
});
