import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../formats/digest.ts";
import { openRegistry } from "./registry.ts";

const scratch = mkdtempSync(join(tmpdir(), "gantry-test-repositories-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const fresh = () => mkdtempSync(join(scratch, "root-"));

const bytes = new TextEncoder().encode("manifest");
const digest = digestOf(bytes);
const subject = digestOf("subject");
const record = { descriptor: { mediaType: "x/y", digest, size: bytes.length }, subject };

test("everything is found again after a restart", async () => {
  const root = fresh();
  const before = await openRegistry(root);
  const blob = digestOf("blob");
  await before.repositories.addBlob("a/b", blob, async () => {
    await before.content.put(new TextEncoder().encode("blob"));
  });
  await before.repositories.addManifest("a/b", bytes, record);
  await before.repositories.setTag("a/b", "v1", digest);

  const { repositories } = await openRegistry(root);
  expect(repositories.names()).toEqual(["a/b"]);
  expect(repositories.exists("a")).toBe(false); // only a directory on the way
  expect(repositories.hasBlob("a/b", blob)).toBe(true);
  expect(repositories.holdersOfBlob(blob)).toEqual(["a/b"]);
  expect(await repositories.tag("a/b", "v1")).toBe(digest);
  expect(await repositories.manifest("a/b", digest)).toEqual(record);
  expect(await repositories.referrers("a/b", subject)).toEqual([record]);
});

test("content goes with its last link, counted over restarts and over both kinds of links", async () => {
  const root = fresh();
  const first = await openRegistry(root);
  await first.repositories.addManifest("one", bytes, record);
  await first.repositories.addManifest("one", bytes, record); // pushed again: no second link
  await first.repositories.addBlob("two", digest, async () => {});

  const { content, repositories } = await openRegistry(root);
  expect(await repositories.removeManifest("one", digest)).toBe(true);
  expect(await repositories.removeManifest("one", digest)).toBe(false);
  expect(await repositories.referrers("one", subject)).toEqual([]);
  expect(content.has(digest)).toBe(true);
  expect(repositories.holdersOfBlob(digest)).toEqual(["two"]);
  expect(await repositories.removeBlob("two", digest)).toBe(true);
  expect(repositories.holdersOfBlob(digest)).toEqual([]);
  expect(content.has(digest)).toBe(false);
});

test("a mount that comes while the origin deletes either has the content or is refused", async () => {
  const { content, repositories } = await openRegistry(fresh());
  await repositories.addBlob("origin", digest, async () => {
    await content.put(bytes);
  });
  const [, mounted] = await Promise.all([
    repositories.removeBlob("origin", digest),
    repositories.mountBlob("copy", digest, "origin"),
  ]);
  expect([repositories.hasBlob("copy", digest), content.has(digest)]).toEqual([mounted, mounted]);
});

test("many small files at once do not get into each other's way", async () => {
  const { repositories } = await openRegistry(fresh());
  const tags = Array.from({ length: 50 }, (_, index) => [`t${index}`, digestOf(`content ${index}`)] as const);
  await Promise.all(tags.map(([tag, target], index) => repositories.setTag(`r${index % 5}`, tag, target)));
  for (const [index, [tag, target]] of tags.entries())
    expect(await repositories.tag(`r${index % 5}`, tag)).toBe(target);
});
