import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { FileSnapshotter } from "../../../src/core/snapshots/file-snapshotter.ts";
import { mountPoints } from "../../../src/core/snapshots/mount-points.ts";
import { OverlayDriver } from "../../../src/core/snapshots/overlay/overlay-driver.ts";
import type { LayerSource } from "../../../src/core/unpack/contract.ts";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { type Digest, digestOf } from "../../../src/formats/digest.ts";
import { MNT_DETACH, mount, unmount } from "../../../src/kernel/mounts.ts";
import { createLog } from "../../../src/log/log.ts";
import { mustRun } from "../../fixtures/command.ts";
import { deepTree } from "../../fixtures/deep-tree.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { file, layerTar, namesIn, pieces, unpackTar } from "./layers.ts";

const scratch = scratchDirectory("pool");
let place = "";
let workers = new WorkerPool();
beforeEach(() => {
  place = join(scratch, crypto.randomUUID().slice(0, 8));
  mkdirSync(join(place, "root"), { recursive: true });
  workers = new WorkerPool({ workers: 2 });
});
afterEach(() => workers.close());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const layer: Digest = digestOf("layer");

function unpack(
  source: LayerSource,
  tar: Uint8Array,
  options: { signal?: AbortSignal; onProgress?: (bytes: number) => void } = {},
) {
  const { signal = new AbortController().signal, ...rest } = options;
  return workers.unpack({
    layer,
    source,
    directory: join(place, "root"),
    whiteouts: "overlay",
    diffId: digestOf(tar),
    signal,
    ...rest,
  });
}

const bigTar = () => layerTar(Array.from({ length: 40 }, (_, n) => file(`file${n}`, `${n} `.repeat(50_000))));

describe("sources", () => {
  test("a file that is complete", async () => {
    const tar = await bigTar();
    writeFileSync(join(place, "blob"), gzipSync(tar));
    const { entries } = await unpack({ kind: "file", path: join(place, "blob") }, tar);
    expect(entries).toBe(40);
  });

  test("a file that grows, and gets another name meanwhile", async () => {
    const tar = await bigTar();
    const blob = gzipSync(tar, { level: 1 });
    const path = join(place, "blob");
    writeFileSync(path, blob.subarray(0, 10));
    async function* grown() {
      yield 0;
      yield 10;
      for (let at = 10; at < blob.length; at += 7000) {
        appendFileSync(existsSync(path) ? path : `${path}.done`, blob.subarray(at, at + 7000));
        yield Math.min(at + 7000, blob.length);
        await Bun.sleep(0);
      }
      renameSync(path, `${path}.done`);
    }
    const { entries } = await unpack({ kind: "file", path, grown: grown() }, tar);
    expect(entries).toBe(40);
    expect(readFileSync(join(place, "root/file7"), "utf8")).toBe("7 ".repeat(50_000));
  });

  test("bytes beyond what was announced are not read", async () => {
    const tar = await layerTar([file("a", "good")]);
    const path = join(place, "blob");
    writeFileSync(path, Buffer.alloc(tar.length, "not yet"));
    async function* grown() {
      yield 0;
      await Bun.sleep(20);
      writeFileSync(path, tar);
      yield tar.length;
    }
    await unpack({ kind: "file", path, grown: grown() }, tar);
    expect(readFileSync(join(place, "root/a"), "utf8")).toBe("good");
  });

  test("a download that fails is the error, once the Worker has stopped", async () => {
    const tar = await bigTar();
    const cut = new Error("connection reset");
    async function* failing() {
      yield* pieces(tar.subarray(0, 500_000));
      throw cut;
    }
    const unpacking = unpack({ kind: "chunks", chunks: failing() }, tar);
    await expect(unpacking).rejects.toBe(cut);
    const names = namesIn(join(place, "root"));
    await Bun.sleep(20);
    expect(namesIn(join(place, "root"))).toEqual(names);
  });

  test("chunks are not asked for before there is room for them", async () => {
    const tar = await layerTar([file("a", "x".repeat(20_000_000))]);
    let given = 0;
    let most = 0;
    async function* counting() {
      for await (const piece of pieces(tar)) {
        given += piece.length;
        most = Math.max(most, given - consumed);
        yield piece;
      }
    }
    let consumed = 0;
    await unpack({ kind: "chunks", chunks: counting() }, tar, {
      onProgress: (bytes) => {
        consumed = bytes;
      },
    });
    expect(consumed).toBe(tar.length);
    expect(most).toBeLessThan(6 * 1024 * 1024);
  });

  test("a missing file is named", async () => {
    const path = join(place, "absent");
    await expect(unpack({ kind: "file", path }, Buffer.alloc(0))).rejects.toThrow(
      `read ${path}: no such file`,
    );
  });
});

describe("ends", () => {
  test("an abort stops the job before it settles", async () => {
    const tar = await bigTar();
    const abort = new AbortController();
    async function* endless() {
      yield* pieces(tar.subarray(0, 300_000));
      abort.abort();
      await new Promise(() => undefined);
    }
    const unpacking = unpack({ kind: "chunks", chunks: endless() }, tar, { signal: abort.signal });
    await expect(unpacking).rejects.toMatchObject({
      kind: "Cancelled",
      message: `unpacking layer ${layer} was cancelled`,
    });
  });

  test("a job that was aborted before it began does not begin", async () => {
    const tar = await bigTar();
    const unpacking = unpack({ kind: "chunks", chunks: pieces(tar) }, tar, { signal: AbortSignal.abort() });
    await expect(unpacking).rejects.toMatchObject({ kind: "Cancelled" });
    expect(namesIn(join(place, "root"))).toEqual([]);
  });

  test("more jobs than places take turns", async () => {
    const jobs = Array.from({ length: 20 }, async (_, n) => {
      const tar = await layerTar([file(`f${n}`, `${n}`)]);
      return unpackTar(workers, tar, join(place, `root${n}`));
    });
    expect((await Promise.all(jobs)).map(({ entries }) => entries)).toEqual(
      Array.from({ length: 20 }, () => 1),
    );
  });

  test("jobs of a closed pool fail", async () => {
    const tar = await bigTar();
    const never = new Promise<never>(() => undefined);
    async function* stuck() {
      yield tar.subarray(0, 1000);
      await never;
    }
    const unpacking = unpack({ kind: "chunks", chunks: stuck() }, tar);
    workers.close();
    await expect(unpacking).rejects.toThrow("the worker pool is closed");
    await expect(unpack({ kind: "chunks", chunks: pieces(tar) }, tar)).rejects.toThrow("closed");
  });

  test("a process whose Workers are idle ends by itself, and idle Workers end before it", async () => {
    const script = join(place, "idle.ts");
    const pool = join(import.meta.dirname, "../../../src/core/unpack/worker-pool.ts");
    writeFileSync(
      script,
      `import { readdirSync, readFileSync } from "node:fs";
       import { WorkerPool } from ${JSON.stringify(pool)};
       const nameOf = (thread) => {
         try {
           return readFileSync("/proc/self/task/" + thread + "/comm", "utf8");
         } catch {
           return ""; // it ended after it was listed
         }
       };
       const running = () => readdirSync("/proc/self/task").map(nameOf).includes("unpack\\n");
       const workers = new WorkerPool({ workers: 1, idleMs: 50 });
       const first = await workers.measure(${JSON.stringify(place)});
       if (!running()) throw new Error("no Worker");
       while (running()) await Bun.sleep(1);
       console.log(first.inodes, (await workers.measure(${JSON.stringify(place)})).inodes);`,
    );
    expect(await mustRun([process.execPath, script])).toBe("2 2\n");
  });
});

describe("tasks beside unpacking", () => {
  test("measure counts a file with two names once", async () => {
    const tar = await layerTar([
      file("a", "12345"),
      { path: "d/b", type: "hardlink", linkPath: "a" },
      file("d/c", "1"),
    ]);
    await unpackTar(workers, tar, join(place, "root"));
    expect(await workers.measure(join(place, "root"))).toEqual({ sizeBytes: 6, inodes: 3 });
  });

  test("measure finds nothing in a tree that goes before its turn comes: its container was removed", async () => {
    expect(await workers.measure(join(place, "gone"))).toEqual({ sizeBytes: 0, inodes: 0 });
  });

  test("measure counts names of any bytes, and goes as deep as trees do that are no attack", async () => {
    const root = join(place, "root");
    await mustRun(["bash", "-c", `mkdir ${root}/$'\\xff' && printf 12 > ${root}/$'\\xff/\\xfe'`]);
    expect(await workers.measure(root)).toEqual({ sizeBytes: 2, inodes: 2 });
    await deepTree(root, 1500);
    const { sizeBytes } = await workers.measure(root);
    expect(sizeBytes).toBeGreaterThan(500);
    await workers.remove([root]);
  }, 30_000);

  test("remove needs no descriptor for each level", async () => {
    const root = join(place, "root");
    await deepTree(root, 1500);
    const script = join(place, "remove.ts");
    const removal = join(import.meta.dirname, "../../../src/kernel/remove-tree.ts");
    writeFileSync(
      script,
      `import { removeTree } from ${JSON.stringify(removal)};
       await removeTree(${JSON.stringify(root)}, async () => {});`,
    );
    await mustRun(["bash", "-c", `ulimit -n 256 && exec ${process.execPath} ${script}`]);
    expect(readdirSync(place)).toEqual(["remove.ts"]);
  }, 30_000);

  test("remove takes away trees that no path reaches", async () => {
    const root = join(place, "root");
    const name = "n".repeat(250);
    // 20 levels of 250 characters: longer than a path may be.
    await mustRun([
      "bash",
      "-c",
      `cd ${root} && for i in {1..20}; do mkdir ${name} && cd -P ${name} || exit 1; done; touch end`,
    ]);
    await workers.remove([root, join(place, "absent")]);
    expect(existsSync(root)).toBe(false);
  });
});

describe("a long walk over a tree", () => {
  const root = () => join(place, "root");
  /** A container's top; what it is copied to is `copy`. */
  const capture = (signal: AbortSignal) => {
    const directory = join(place, "copy");
    mkdirSync(directory);
    const top = { upper: root(), lower: [], form: "overlay", skipped: [] } as const;
    return workers.capture({ ...top, name: "of web", directory, whiteouts: "overlay" }, signal);
  };

  beforeEach(() => {
    workers.close();
    workers = new WorkerPool({ workers: 1 });
    for (let n = 0; n < 300; n++) writeFileSync(join(root(), `file-${n}`), `${n}`);
  });

  test("lets the other jobs of its Worker go on", async () => {
    truncateSync(join(root(), "file-0"), 64 << 20);
    const ended: string[] = [];
    const { signal } = new AbortController();
    const walk = capture(signal).then(({ entries }) => ended.push(`${entries} files`));
    const other = workers.hash(join(root(), "file-7"), "sha256", signal).then((digest) => ended.push(digest));
    await Promise.all([walk, other]);
    expect(ended).toEqual([digestOf("7"), "300 files"]);
  });

  test("ends with an abort", async () => {
    const abort = new AbortController();
    truncateSync(join(root(), "file-0"), 8 * 1024 ** 3);
    const walk = capture(abort.signal);
    while (!existsSync(join(place, "copy/file-0"))) await Bun.sleep(0);
    abort.abort();
    await expect(walk).rejects.toMatchObject({ kind: "Cancelled" });
    expect(readdirSync(join(place, "copy"))).toEqual(["file-0"]);
  });
});

test("a full disk is an error that names the layer, and a discarded draft leaves nothing", async () => {
  const small = join(place, "small");
  mkdirSync(small);
  mount({ source: "tmpfs", target: small, fstype: "tmpfs", flags: 0, data: "size=4m" });
  try {
    const lines: string[] = [];
    const log = createLog("warn", (line) => lines.push(line));
    const snapshots = new FileSnapshotter({
      root: small,
      driver: new OverlayDriver("overlay", workers),
      trees: workers,
      log,
    });
    const before = statSync(small).nlink;
    const tar = await layerTar([file("small", "x"), file("large", "x".repeat(8_000_000))]);
    const draft = await snapshots.draft(digestOf(tar), undefined);
    if (draft === undefined) throw new Error("no draft");
    await expect(unpackTar(workers, tar, draft.directory)).rejects.toMatchObject({
      kind: "System",
      code: "errno.ENOSPC",
      message: `layer ${digestOf(tar)}: no space left on device`,
    });
    await draft.discard();
    await snapshots.flush();
    await snapshots.close();
    await expect(workers.sync(join(small, "absent"))).rejects.toThrow("no such file or directory");
    expect(await workers.sync(small)).toBeUndefined();
    expect(statSync(small).nlink).toBe(before);
    expect(["drafts", "layers", "trash"].map((name) => readdirSync(join(small, name)))).toEqual([[], [], []]);
    expect(lines).toEqual([]);
  } finally {
    unmount(small, MNT_DETACH);
  }
  expect(mountPoints().filter((path) => path.startsWith(scratch))).toEqual([]);
});
