import { expect } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotterUnderTest } from "../../../src/core/snapshots/contract-suite.ts";
import { FileSnapshotter } from "../../../src/core/snapshots/file-snapshotter.ts";
import { mountPoints } from "../../../src/core/snapshots/mount-points.ts";
import type { StorageDriver } from "../../../src/core/snapshots/storage-driver.ts";
import type { TreeWork } from "../../../src/core/snapshots/tree-work.ts";
import type { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { MNT_DETACH, unmount } from "../../../src/kernel/mounts.ts";
import { createLog } from "../../../src/log/log.ts";

/** A snapshotter in a directory of its own below `scratch`. */
export class UnderTest implements SnapshotterUnderTest {
  readonly root: string;
  readonly warnings: string[] = [];
  #opened: FileSnapshotter[] = [];
  snapshots: FileSnapshotter;

  constructor(
    scratch: string,
    private readonly workers: WorkerPool,
    private readonly createDriver: (trees: TreeWork) => StorageDriver,
  ) {
    this.root = join(scratch, crypto.randomUUID().slice(0, 8));
    this.snapshots = this.open();
  }

  open(bootId = "this-boot"): FileSnapshotter {
    const log = createLog("warn", (line) => this.warnings.push(line));
    const snapshots = new FileSnapshotter({
      root: this.root,
      driver: this.createDriver(this.workers),
      trees: this.workers,
      log,
      bootId,
    });
    this.#opened.push(snapshots);
    return snapshots;
  }

  reopen(bootId?: string): FileSnapshotter {
    this.snapshots = this.open(bootId);
    return this.snapshots;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of mountPoints().toReversed()) {
      if (path.startsWith(`${this.root}/`)) unmount(path, MNT_DETACH);
    }
    for (const snapshots of this.#opened) await snapshots.close();
    expect(readdirSync(join(this.root, "trash"))).toEqual([]);
    rmSync(this.root, { recursive: true, force: true });
  }
}
