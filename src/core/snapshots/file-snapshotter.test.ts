import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../log/log.ts";
import { FileSnapshotter } from "./file-snapshotter.ts";
import type { TreeWork } from "./tree-work.ts";
import { VfsDriver } from "./vfs/vfs-driver.ts";

let root: string;
let snapshots: FileSnapshotter;
let driver: VfsDriver;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "gantry-snapshots-"));
  const trees = { clone: async () => {}, apply: async () => {}, remove: async () => {} };
  driver = new VfsDriver(trees);
  snapshots = new FileSnapshotter({
    root,
    driver,
    trees: trees as unknown as TreeWork,
    log: createLog("error", () => {}),
    bootId: "test",
  });
});
afterEach(() => rmSync(root, { recursive: true }));

const names = (folder: string) => readdirSync(join(root, folder));

test("a top whose init layer cannot be made leaves nothing", async () => {
  Object.defineProperty(driver, "rootForm", {
    get: () => {
      throw new Error("disk full");
    },
  });
  await expect(snapshots.prepare("key", undefined)).rejects.toThrow("disk full");
  expect([snapshots.keys(), names("drafts"), names("containers")]).toEqual([[], [], []]);
});

test("a top that cannot be moved away is still there, and can be removed later", async () => {
  await snapshots.prepare("key", undefined);
  rmSync(join(root, "trash"), { recursive: true });
  await expect(snapshots.remove("key")).rejects.toThrow("ENOENT");
  expect([snapshots.keys(), names("containers")]).toEqual([["key"], ["key"]]);
  mkdirSync(join(root, "trash"));
  await snapshots.remove("key");
  expect([snapshots.keys(), names("containers")]).toEqual([[], []]);
  await snapshots.close();
});
