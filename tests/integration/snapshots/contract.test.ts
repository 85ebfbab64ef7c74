import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commitChain, imageNames, testSnapshotter } from "../../../src/core/snapshots/contract-suite.ts";
import { exportTree } from "../../../src/core/snapshots/export-tree.ts";
import { listChanges } from "../../../src/core/snapshots/list-changes.ts";
import { mountPoints } from "../../../src/core/snapshots/mount-points.ts";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { MNT_DETACH, mount, unmount } from "../../../src/kernel/mounts.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { storageDrivers } from "./storage-drivers.ts";
import { UnderTest } from "./under-test.ts";

const scratch = scratchDirectory("snapshot-contract");
// A file system of its own: syncing that of the machine may take long.
mount({ source: "tmpfs", target: scratch, fstype: "tmpfs", flags: 0 });
const workers = new WorkerPool({ workers: 1 });
/** What the init layer adds. */
const made = new Set(
  [".dockerenv", "dev/", "dev/console", "dev/pts/", "dev/shm/", "proc/", "sys/", "etc/"].concat([
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
  ]),
);
const never = new AbortController().signal;

afterAll(() => {
  workers.close();
  const left = mountPoints().filter((path) => path.startsWith(`${scratch}/`));
  unmount(scratch, MNT_DETACH);
  rmSync(scratch, { recursive: true, force: true });
  expect(left).toEqual([]);
});

for (const [name, createDriver] of storageDrivers) {
  const start = () => new UnderTest(scratch, workers, createDriver);
  testSnapshotter(name, start);

  describe(name, () => {
    test("130 layers make one root", async () => {
      await using under = start();
      const files = Array.from({ length: 130 }, (_, at) => ({ [`file${at}`]: `${at}`, top: `${at}` }));
      const top = (await commitChain(under.snapshots, files)).at(-1)?.chainId;
      await under.snapshots.prepare("deep", top);
      const root = under.snapshots.mount("deep");
      expect(imageNames(root)).toHaveLength(131);
      expect(readFileSync(join(root.merged, "top"), "utf8")).toBe("129");
    });

    test("changes and export are those of the root, mounted or not", async () => {
      await using under = start();
      const chain = await commitChain(under.snapshots, [
        { "d/kept": "1", "d/changed": "1", "d/gone": "1", "old/deep/file": "1", "again/file": "1" },
        { "d/upper": "2" },
      ]);
      await under.snapshots.prepare("key", chain.at(-1)?.chainId);
      const { merged } = under.snapshots.mount("key");
      writeFileSync(join(merged, "d/changed"), "other");
      rmSync(join(merged, "d/gone"));
      rmSync(join(merged, "old"), { recursive: true });
      rmSync(join(merged, "again"), { recursive: true });
      mkdirSync(join(merged, "again"));
      mkdirSync(join(merged, "new"));
      writeFileSync(join(merged, "new/file"), "1");
      linkSync(join(merged, "new/file"), join(merged, "new/link"));
      chmodSync(join(merged, "d/upper"), 0o600);
      utimesSync(join(merged, "new/file"), 1, 1);
      const lines = async () => {
        const changes = await listChanges(under.snapshots.describe("key"), never);
        return changes.map(({ kind, path }) => `${kind} ${path}`);
      };
      const expected = [
        "modified /again",
        "deleted /again/file",
        "modified /d",
        "modified /d/changed",
        "deleted /d/gone",
        "modified /d/upper",
        "added /new",
        "added /new/file",
        "added /new/link",
        "deleted /old",
      ];
      expect(await lines()).toEqual(expected);
      await under.snapshots.unmount("key");
      expect(await lines()).toEqual(expected);
      const members: string[] = [];
      for await (const { entry } of exportTree(under.snapshots.describe("key"), never)) {
        if (!made.has(entry.path)) members.push(`${entry.type} ${entry.path}`);
      }
      expect(members).toEqual([
        "directory again/",
        "directory d/",
        "file d/changed",
        "file d/kept",
        "file d/upper",
        "directory new/",
        "file new/file",
        "hardlink new/link",
      ]);
    });
  });
}
