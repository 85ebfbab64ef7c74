import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../formats/digest.ts";
import { createLog } from "../../log/log.ts";
import { Leases, type Resource, resourceKey } from "./leases.ts";
import { PersistentLeases } from "./persistent-leases.ts";

let directory: string;
let leases: Leases;
let store: PersistentLeases;

const blob = (text: string): Resource => ({ kind: "blob", name: digestOf(text) });
const [manifest, config, layer] = [blob("manifest"), blob("config"), blob("layer")];
const top: Resource = { kind: "snapshot", name: "mount-1" };
const graph = new Map([
  [resourceKey(manifest), [config, layer]],
  [resourceKey(config), [manifest]], // a circle ends, too
]);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "gantry-leases-"));
  await reopen();
});
afterEach(() => rmSync(directory, { recursive: true }));

/** As after a restart of the engine. */
async function reopen(): Promise<void> {
  leases = new Leases();
  const log = createLog("error", () => undefined);
  const references = async (resource: Resource) => graph.get(resourceKey(resource)) ?? [];
  store = await PersistentLeases.open({ directory, leases, references, log });
}

const held = (...resources: Resource[]) => resources.map((resource) => leases.holds(resource));

test("what a lease names, and what that refers to, is held over restarts until it is removed", async () => {
  await store.create({ id: "build-1", labels: { of: "build" } });
  await store.add("build-1", [manifest, top]);
  for (let times = 0; times < 2; times++) {
    expect(held(manifest, config, layer, top)).toEqual([true, true, true, true]);
    expect(store.get("build-1")).toMatchObject({ labels: { of: "build" }, resources: [manifest, top] });
    await reopen();
  }
  expect(store.resources("build-1")).toHaveLength(4);
  expect(await store.remove("build-1")).toBe(true);
  expect(held(manifest, config, layer, top)).toEqual([false, false, false, false]);
  expect([await store.remove("build-1"), readdirSync(directory)]).toEqual([false, []]);
});

test("releasing one resource lets go of what only it referred to", async () => {
  await store.create({ id: "one" });
  await store.add("one", [manifest, layer]);
  await store.add("one", [manifest]);
  expect((await store.release("one", [manifest])).resources).toEqual([layer]);
  expect(held(manifest, config, layer)).toEqual([false, false, true]);
});

test("a lease ends when its time is over", async () => {
  const { id } = await store.create({ expiresAt: "2030-01-01T00:00:00Z" });
  await store.create({ id: "for-ever" });
  await store.expire(Date.parse("2029-12-31T00:00:00Z"));
  expect(store.get(id)).toBeDefined();
  await store.expire(Date.parse("2030-01-01T00:00:00Z"));
  expect(store.list().map((lease) => lease.id)).toEqual(["for-ever"]);
});

test("what cannot be written is not held, and what was held before still is", async () => {
  await store.create({ id: "one" });
  await store.add("one", [layer]);
  rmSync(directory, { recursive: true });
  await expect(store.add("one", [manifest])).rejects.toThrow("no such file or directory");
  expect(held(manifest, layer)).toEqual([false, true]);
  expect(store.get("one")?.resources).toEqual([layer]);
  await reopen();
});

test("a broken sidecar is told, so that nobody takes what it keeps for garbage", async () => {
  writeFileSync(join(directory, "bad.json"), "{");
  writeFileSync(join(directory, "cut.json.new"), "{");
  await reopen();
  expect(store.unreadable).toEqual([join(directory, "bad.json")]);
});

test.each(["", "../x", ".hidden", "a/b", "x".repeat(129)])("id %p is refused", async (id) => {
  await expect(store.create({ id })).rejects.toThrow("invalid lease id");
});

test("an id in use, an unknown lease and a time that is none are refused", async () => {
  await store.create({ id: "one" });
  await expect(store.create({ id: "one" })).rejects.toThrow("lease one exists already");
  await expect(store.add("two", [])).rejects.toThrow("no such lease: two");
  await expect(store.create({ expiresAt: "soon" })).rejects.toThrow("is not a time");
});

test("what cannot be followed leaves a lease as it was", async () => {
  await store.create({ id: "one" });
  await store.add("one", [layer]);
  const before = leases.list().length;
  graph.get = () => {
    throw new Error("disk error");
  };
  await expect(store.add("one", [config])).rejects.toThrow("disk error");
  graph.get = Map.prototype.get;
  expect(leases.list()).toHaveLength(before);
  expect([store.resources("one"), ...held(layer, config)]).toEqual([[layer], true, false]);
});
