import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { commitChain, imageNames } from "../../../src/core/snapshots/contract-suite.ts";
import { FileSnapshotter } from "../../../src/core/snapshots/file-snapshotter.ts";
import { mountPoints } from "../../../src/core/snapshots/mount-points.ts";
import { OverlayDriver } from "../../../src/core/snapshots/overlay/overlay-driver.ts";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { chainId } from "../../../src/formats/chain-id.ts";
import { digestHex, digestOf } from "../../../src/formats/digest.ts";
import { mountOverlay } from "../../../src/kernel/mount-overlay.ts";
import { MNT_DETACH, mount, unmount } from "../../../src/kernel/mounts.ts";
import { setXattr } from "../../../src/kernel/xattrs.ts";
import { createLog } from "../../../src/log/log.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { UnderTest } from "./under-test.ts";

const scratch = scratchDirectory("snapshots");
// A file system of its own: syncing that of the machine may take long.
mount({ source: "tmpfs", target: scratch, fstype: "tmpfs", flags: 0 });
const workers = new WorkerPool({ workers: 1 });

afterAll(() => {
  workers.close();
  const left = mountPoints().filter((path) => path.startsWith(`${scratch}/`));
  unmount(scratch, MNT_DETACH);
  rmSync(scratch, { recursive: true, force: true });
  expect(left).toEqual([]);
});

const start = () => new UnderTest(scratch, workers, (trees) => new OverlayDriver("overlay", trees));

describe("overlay", () => {
  test("130 layers are mounted by a kernel that takes their names in one page", async () => {
    await using under = start();
    const files = Array.from({ length: 130 }, (_, at) => ({ [`file${at}`]: `${at}` }));
    const top = (await commitChain(under.snapshots, files)).at(-1)?.chainId;
    await under.snapshots.prepare("deep", top);
    const root = under.snapshots.describe("deep");
    mountOverlay({ ...root, target: root.merged }, false);
    expect(imageNames(root)).toHaveLength(130);
  });

  test("the init layer has the mount points that the image lacks", async () => {
    await using under = start();
    const [layer] = await commitChain(under.snapshots, [{ "etc/hosts": "own", "dev/null": "" }]);
    if (layer === undefined) throw new Error("no layer");
    const files = join(under.root, "layers", digestHex(layer.chainId), "diff");
    symlinkSync("/elsewhere", join(files, "etc/resolv.conf"));
    symlinkSync("/elsewhere", join(files, "proc"));
    chmodSync(join(files, "etc"), 0o711);
    await under.snapshots.prepare("key", layer.chainId);
    const { init = "", merged, upper } = under.snapshots.mount("key");
    const names = readdirSync(init, { recursive: true }).sort();
    const made = [
      ".dockerenv",
      "dev",
      "dev/console",
      "dev/pts",
      "dev/shm",
      "etc",
      "etc/hostname",
      "etc/mtab",
    ];
    expect(names).toEqual([...made, "etc/resolv.conf", "sys"]);
    expect(readFileSync(join(merged, "etc/hosts"), "utf8")).toBe("own");
    expect(lstatSync(join(merged, "etc/resolv.conf")).isFile()).toBe(true);
    expect(lstatSync(join(merged, "proc")).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(merged, "etc")).mode & 0o7777).toBe(0o711);
    expect(readdirSync(upper)).toEqual([]);
  });

  test("an opaque root hides all layers below", async () => {
    await using under = start();
    const [base] = await commitChain(under.snapshots, [{ hidden: "1" }]);
    const diffId = digestOf("opaque");
    const draft = await under.snapshots.draft(chainId(base?.chainId, diffId), base?.chainId);
    if (draft === undefined) throw new Error("no draft");
    writeFileSync(join(draft.directory, "seen"), "");
    setXattr(draft.directory, "trusted.overlay.opaque", Buffer.from("y"));
    const layer = await draft.commit({ diffId, sizeBytes: 0 });
    await under.reopen().prepare("key", layer.chainId);
    expect(imageNames(under.snapshots.mount("key"))).toEqual(["seen"]);
  });

  test("the root directory has owner and mode of the image's", async () => {
    await using under = start();
    const diffId = digestOf("root");
    const draft = await under.snapshots.draft(chainId(undefined, diffId), undefined);
    if (draft === undefined) throw new Error("no draft");
    chownSync(draft.directory, 12, 34);
    chmodSync(draft.directory, 0o1750);
    const layer = await draft.commit({ diffId, sizeBytes: 0 });
    await under.snapshots.prepare("key", layer.chainId);
    const { mode, uid, gid } = lstatSync(under.snapshots.mount("key").merged);
    expect([mode & 0o7777, uid, gid]).toEqual([0o1750, 12, 34]);
  });

  test("layers that may have lost bytes in a crash of the machine are dropped, with those on top", async () => {
    await using under = start();
    const [safe] = await commitChain(under.snapshots, [{ a: "1" }]);
    await under.snapshots.flush();
    const diffId = digestOf("late");
    const draft = await under.snapshots.draft(chainId(safe?.chainId, diffId), safe?.chainId);
    const late = await draft?.commit({ diffId, sizeBytes: 0 });
    if (safe === undefined || late === undefined) throw new Error("no layers");
    expect(under.reopen().layers()).toHaveLength(2); // the engine alone died
    expect(under.reopen("next-boot").layers()).toEqual([safe]);
    expect(under.warnings.join()).toContain(digestHex(late.chainId));
  });

  test("a layer without a whole sidecar is dropped, and one on top of it", async () => {
    await using under = start();
    const [base] = await commitChain(under.snapshots, [{ a: "1" }, { b: "1" }]);
    if (base === undefined) throw new Error("no layer");
    await under.snapshots.flush();
    writeFileSync(join(under.root, "layers", digestHex(base.chainId), "layer.json"), '{"version":1,');
    expect(under.reopen().layers()).toEqual([]);
  });

  test("mounts of half removed containers and drafts are cleaned at start", async () => {
    await using under = start();
    await under.snapshots.prepare("key", undefined);
    const { merged } = under.snapshots.mount("key");
    renameSync(join(merged, ".."), join(under.root, "trash/9")); // died between rename and unmount
    mkdirSync(join(under.root, "drafts/7/diff"), { recursive: true });
    const again = under.reopen();
    await again.close();
    expect(again.keys()).toEqual([]);
    expect(mountPoints().filter((path) => path.startsWith(under.root))).toEqual([]);
    expect(readdirSync(join(under.root, "drafts"))).toEqual([]);
  });

  test("mounts are known again when the root directory is given by a symlink", async () => {
    await using under = start();
    const link = `${under.root}-link`;
    symlinkSync(under.root, link);
    const open = () =>
      new FileSnapshotter({
        root: link,
        driver: new OverlayDriver("overlay", workers),
        trees: workers,
        log: createLog("error", () => undefined),
      });
    const first = open();
    await first.prepare("key", undefined);
    const { merged } = first.mount("key");
    const again = open();
    expect(again.mountedKeys()).toEqual(["key"]);
    again.mount("key");
    expect(mountPoints().filter((path) => path === merged)).toHaveLength(1);
    rmSync(link);
  });

  test("a volatile root can be mounted again", async () => {
    await using under = start();
    const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
    await under.snapshots.prepare("key", layer?.chainId, { volatile: true });
    const { merged, work } = under.snapshots.mount("key");
    expect(existsSync(join(work, "work/incompat/volatile"))).toBe(true);
    writeFileSync(join(merged, "new"), "");
    await under.snapshots.unmount("key");
    expect(imageNames(under.reopen().mount("key"))).toEqual(["a", "new"]);
  });

  test("a missing layer under a container is named when it is mounted", async () => {
    await using under = start();
    const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
    if (layer === undefined) throw new Error("no layer");
    await under.snapshots.prepare("key", layer.chainId);
    rmSync(join(under.root, "layers", digestHex(layer.chainId)), { recursive: true });
    expect(() => under.reopen().mount("key")).toThrow(`layer ${layer.chainId} of container key is missing`);
  });

  test("a file system that overlayfs cannot write to is named", async () => {
    await using under = start();
    const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
    await under.snapshots.prepare("key", layer?.chainId);
    const { upper, merged } = under.snapshots.describe("key");
    rmSync(upper, { recursive: true });
    expect(() => under.snapshots.mount("key")).toThrow(`mount overlay ${merged}`);
  });
});
