import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import type { FsckLine } from "../../../src/wire/fsck-report.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { FaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

let engine: TestEngine;
let registry: FaultyRegistry;

const data = packTar([
  { name: "data/", type: "directory" },
  ...Array.from({ length: 40 }, (_, index) => ({ name: `data/${index}`, content: "x".repeat(5000 + index) })),
]);
const archive = packImage({ tags: ["loaded:1"], layers: [data], config: {} });

beforeAll(async () => {
  registry = await FaultyRegistry.start("none", [data, packTar([{ name: "top", content: "top" }])]);
  engine = await TestEngine.start({ name: "full-disk", rootSize: "12m" });
  await engine.load(await busyboxArchive("busybox:latest"));
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
}, 60_000);

const freeBytes = () => {
  const { bavail, bsize } = statfsSync(engine.root);
  return bavail * bsize;
};
const filler = () => join(engine.root, "filler");

/** Leaves so many bytes of the disk. */
function fillUpTo(bytes: number): void {
  rmSync(filler(), { force: true });
  writeFileSync(filler(), Buffer.alloc(Math.max(0, freeBytes() - bytes)));
}

async function findings(): Promise<unknown[]> {
  const text = await (await engine.fetch("POST", "/gantry/v1/fsck")).text();
  const lines = text
    .split("\r\n")
    .filter(Boolean)
    .map((line): FsckLine => JSON.parse(line));
  expect(lines.at(-1)).toHaveProperty("summary");
  return lines.filter((line) => "finding" in line);
}

interface Step {
  readonly prepare?: () => Promise<unknown>;
  readonly afterFailure?: () => Promise<unknown>;
  readonly act: () => Promise<unknown>;
  readonly undo: () => Promise<unknown>;
  /** Bytes that are surely enough. */
  readonly enough: number;
}

const must = (...args: string[]) => engine.must("gantry", ...args);

const steps: Record<string, () => Step> = {
  pull: () => ({
    act: () => must("pull", registry.reference),
    undo: () => must("rmi", registry.reference),
    enough: 2 << 20,
  }),
  load: () => ({ act: () => engine.load(archive), undo: () => must("rmi", "loaded:1"), enough: 2 << 20 }),
  import: () => ({
    act: async () => {
      const target = "http://localhost/images/create?fromSrc=-&repo=imported&tag=1";
      const response = await fetch(target, { unix: engine.socket, method: "POST", body: data });
      const text = await response.text();
      if (!response.ok || text.includes('"error"')) throw new Error(`import: ${response.status} ${text}`);
    },
    undo: () => must("rmi", "imported:1"),
    enough: 2 << 20,
  }),
  tag: () => ({
    act: () => must("tag", "busybox", "other:1"),
    undo: () => must("rmi", "other:1"),
    enough: 64 << 10,
  }),
  create: () => ({
    act: () => must("create", "--name", "c", "busybox", "true"),
    undo: () => must("rm", "c"),
    enough: 256 << 10,
  }),
  commit: () => ({
    prepare: async () => {
      const id = await must("create", "--name", "w", "busybox", "true");
      const written = join(engine.root, "snapshots/containers", id, "upper/written");
      writeFileSync(written, Buffer.from(data.slice(0, 100_000)));
    },
    act: () => must("commit", "w", "committed:1"),
    afterFailure: () => must("rm", "w"),
    undo: async () => {
      await must("rmi", "committed:1");
      await must("rm", "w");
    },
    enough: 1 << 20,
  }),
  run: () => ({
    act: async () => {
      const done = await engine.gantry(["run", "--name", "r", "busybox", "true"]);
      if (done.exitCode !== 0) throw new Error(done.stderr);
    },
    // The container may have been made before there was no room to start it.
    afterFailure: () => engine.gantry(["rm", "r"]),
    undo: () => must("rm", "r"),
    enough: 256 << 10,
  }),
  start: () => ({
    prepare: () => must("create", "--name", "s", "busybox", "sleep", "600"),
    act: () => must("start", "s"),
    // It is as it was, and can be started when there is room.
    afterFailure: async () => {
      expect(await must("inspect", "-f", "{{.State.Status}} {{.State.Pid}}", "s")).toBe("created 0");
      await must("start", "s");
      await must("rm", "-f", "s");
    },
    undo: () => must("rm", "-f", "s"),
    enough: 256 << 10,
  }),
};

/** From nothing to enough, so that the disk is full at one step after the other. */
function amounts(enough: number): number[] {
  const found = [0];
  for (let bytes = 4096; bytes < enough; bytes = Math.ceil(bytes * 1.6)) found.push(bytes);
  return found;
}

describe("a disk that fills at any step", () => {
  test.each(Object.keys(steps))(
    "%s",
    async (name) => {
      const step = steps[name]?.();
      if (step === undefined) throw new Error(name);
      // What the step before has removed would make room in the middle of this one.
      await waitFor("an empty trash", () => readdirSync(join(engine.root, "snapshots/trash")).length === 0);
      const before = freeBytes();
      let failures = 0;
      for (const bytes of amounts(step.enough)) {
        await step.prepare?.();
        fillUpTo(bytes);
        const error = await step.act().then(
          () => undefined,
          (failure: Error) => failure.message,
        );
        rmSync(filler());
        if (error === undefined) await step.undo();
        else {
          failures++;
          expect(error).toContain("no space left on device");
          expect(error).not.toContain("ENOSPC:"); // not in the words of a library
          await step.afterFailure?.();
        }
        expect({ bytes, findings: await findings() }).toEqual({ bytes, findings: [] });
        await waitFor("its bytes", () => freeBytes() >= before);
      }
      expect(failures).toBeGreaterThan(0);
      await step.prepare?.();
      await step.act();
      expect(await findings()).toEqual([]);
      await step.undo();
    },
    60_000,
  );
});
