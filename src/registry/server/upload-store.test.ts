import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../formats/digest.ts";
import { openRegistry } from "./registry.ts";

const scratch = mkdtempSync(join(tmpdir(), "gantry-test-uploads-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const fresh = () => mkdtempSync(join(scratch, "root-"));

async function* bodyOf(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function* brokenAfter(text: string) {
  yield* bodyOf(text);
  throw new Error("the connection broke");
}

const textOf = async (bytes: Promise<Uint8Array>) => new TextDecoder().decode(await bytes);

test("what came before a broken connection is kept, and what follows completes it", async () => {
  const { uploads, repositories, content } = await openRegistry(fresh());
  const upload = await uploads.create("app");
  await expect(uploads.append(upload, brokenAfter("half "))).rejects.toThrow("the connection broke");
  expect(await uploads.offset(upload)).toBe(5);
  await uploads.append(upload, bodyOf("and ", "half"), { start: 5, end: 13 });
  const digest = digestOf("half and half");
  await uploads.finish(upload, digest);
  expect(await textOf(content.read(digest))).toBe("half and half");
  expect(repositories.hasBlob("app", digest)).toBe(true);
  expect(uploads.offset(upload)).rejects.toThrow("no such upload");
});

test("of a chunk with more or fewer bytes than it says nothing is kept", async () => {
  const { uploads } = await openRegistry(fresh());
  const upload = await uploads.create("app");
  await uploads.append(upload, bodyOf("1234"));
  for (const text of ["56", "567890"])
    await expect(uploads.append(upload, bodyOf(text), { start: 4, end: 8 })).rejects.toThrow(
      "not as long as",
    );
  expect(await uploads.offset(upload)).toBe(4);
  await uploads.append(upload, bodyOf("5678"), { start: 4, end: 8 });
  await uploads.finish(upload, digestOf("12345678"));
});

test("the digest may be of another algorithm than the upload began with", async () => {
  const { uploads, content } = await openRegistry(fresh());
  const upload = await uploads.create("app");
  await uploads.append(upload, bodyOf("content"));
  const digest = digestOf("content", "sha512");
  await uploads.finish(upload, digest);
  expect(content.size(digest)).toBe(7);
});

test("two uploads of the same blob both succeed", async () => {
  const { uploads, repositories, content } = await openRegistry(fresh());
  const digest = digestOf("same");
  const names = ["one", "two"];
  await Promise.all(
    names.map(async (name) => {
      const upload = await uploads.create(name);
      await uploads.append(upload, bodyOf("same"));
      await uploads.finish(upload, digest);
    }),
  );
  expect(names.map((name) => repositories.hasBlob(name, digest))).toEqual([true, true]);
  expect(content.list()).toEqual([digest]);
});

test("an upload that nobody went on with for a week is thrown away at the start", async () => {
  const root = fresh();
  const { uploads, repositories } = await openRegistry(root);
  const old = await uploads.create("app");
  const young = await uploads.create("app");
  const longAgo = Date.now() / 1000 - 8 * 24 * 3600;
  utimesSync(join(repositories.uploadDirectory("app"), old.id), longAgo, longAgo);
  const again = await openRegistry(root);
  expect(readdirSync(again.repositories.uploadDirectory("app"))).toEqual([young.id]);
});

test.each(["../../x", "", "x/../y"])("the id %p is no file's name", async (id) => {
  const { uploads } = await openRegistry(fresh());
  expect(uploads.offset({ repository: "app", id })).rejects.toThrow("no such upload");
});
