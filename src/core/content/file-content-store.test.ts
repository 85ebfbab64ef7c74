import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestHex, digestOf } from "../../formats/digest.ts";
import type { Ingest } from "./contract.ts";
import { FileContentStore } from "./file-content-store.ts";

let directory: string;
let store: FileContentStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gantry-content-"));
  store = new FileContentStore(directory);
});
afterEach(() => rmSync(directory, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = async (pieces: AsyncIterable<Uint8Array>) =>
  Buffer.concat(await Array.fromAsync(pieces)).toString();
const partials = () => readdirSync(join(directory, "ingest"));
const content = bytes("hello world");
const blob = { digest: digestOf(content), size: content.length };

async function begin(expected: { digest: typeof blob.digest; size?: number } = blob): Promise<Ingest> {
  const ingest = await store.ingest(expected);
  if (ingest === undefined) throw new Error("already present");
  return ingest;
}

test("a blob has no name before it is committed, and is readable in every way after", async () => {
  const ingest = await begin();
  await ingest.write(bytes("hello "));
  await ingest.write(bytes("world"));
  expect(store.has(blob.digest)).toBe(false);
  expect(ingest.offset).toBe(11);
  await ingest.commit();

  expect(store.has(blob.digest)).toBe(true);
  expect(store.size(blob.digest)).toBe(11);
  expect(store.path(blob.digest)).toBe(join(directory, "blobs/sha256", digestHex(blob.digest)));
  expect(await store.read(blob.digest)).toEqual(content);
  expect(await textOf(store.readStream(blob.digest))).toBe("hello world");
  expect(await textOf(store.readStream(blob.digest, { start: 6 }))).toBe("world");
  expect(await textOf(store.readStream(blob.digest, { start: 0, end: 5 }))).toBe("hello");
  expect(partials()).toEqual([]);
  expect(store.list()).toEqual([blob.digest]);
});

test("a new store on the same directory finds what is there", async () => {
  await store.put(content);
  writeFileSync(join(directory, "blobs/sha256/not-a-digest"), "");
  const again = new FileContentStore(directory);
  expect(again.list()).toEqual([blob.digest]);
  expect(again.size(blob.digest)).toBe(11);
});

test("an ingest that was kept is resumed, also by another process", async () => {
  const first = await begin();
  await first.write(bytes("hello "));
  await first.close({ keep: true });
  expect(partials()).toHaveLength(1);

  store = new FileContentStore(directory);
  const second = await begin();
  expect(second.offset).toBe(6);
  await second.write(bytes("world"));
  await second.commit();
  expect(await store.read(blob.digest)).toEqual(content);
});

test("a partial file that is longer than the blob is not used", async () => {
  writeFileSync(join(directory, "ingest", `sha256-${digestHex(blob.digest)}`), "x".repeat(12));
  const ingest = await begin();
  expect(ingest.offset).toBe(0);
  await ingest.write(content);
  await ingest.commit();
  expect(store.has(blob.digest)).toBe(true);
});

test("an ingest that was thrown away leaves nothing", async () => {
  const ingest = await begin();
  await ingest.write(bytes("hello "));
  await ingest.close({ keep: false });
  expect(partials()).toEqual([]);
  await ingest.close({ keep: true });
  await expect(ingest.write(content)).rejects.toThrow("closed");
});

describe("what does not fit its digest or size gets no name and is thrown away", () => {
  test.each([
    ["wrong bytes", "hello wOrld", blob, "has the digest sha256:"],
    ["too few bytes", "hello", blob, "has 5 bytes, its descriptor promises 11"],
    ["wrong bytes of unknown size", "hello", { digest: blob.digest }, "has the digest sha256:"],
  ])("%s", async (_, text, expected, message) => {
    const ingest = await begin(expected);
    await ingest.write(bytes(text));
    await expect(ingest.commit()).rejects.toThrow(message);
    await expect(store.ingest(blob).then((next) => next?.close({ keep: false }))).resolves.toBeUndefined();
    expect(store.has(blob.digest)).toBe(false);
    expect(partials()).toEqual([]);
  });

  test("too many bytes are cut at once", async () => {
    const ingest = await begin();
    await ingest.write(bytes("hello wor"));
    await expect(ingest.write(bytes("lds"))).rejects.toThrow("is longer than the 11 bytes");
    await expect(ingest.commit()).rejects.toThrow();
    expect(partials()).toEqual([]);
  });
});

test("the follower sees the file grow and the end only after verification", async () => {
  const ingest = await begin();
  const seen: string[] = [];
  const following = (async () => {
    for await (const count of ingest.grown) seen.push((await readFile(ingest.path, "utf8")).slice(0, count));
    seen.push(`end, present: ${store.has(blob.digest)}`);
  })();
  await ingest.write(bytes("hello "));
  await ingest.write(bytes("world"));
  await ingest.commit();
  await following;
  expect(seen.at(-2)).toBe("hello world");
  expect(seen.at(-1)).toStartWith("end");
});

test("the follower of an ingest that fails throws the reason", async () => {
  const ingest = await begin();
  await ingest.write(bytes("hello wOrld"));
  const following = (async () => {
    for await (const _ of ingest.grown);
  })();
  const followed = following.catch((error: unknown) => error);
  await expect(ingest.commit()).rejects.toThrow("has the digest");
  expect(await followed).toHaveProperty("code", "content.digest-mismatch");
});

test("a second writer waits for the first and finds the blob present", async () => {
  const first = await begin();
  const second = store.ingest(blob);
  await first.write(content);
  await first.commit();
  expect(await second).toBeUndefined();
});

test("a second writer goes on where the first gave up, and a waiting one can be aborted", async () => {
  const first = await begin();
  const aborted = new AbortController();
  const waiting = store.ingest(blob, aborted.signal);
  const third = store.ingest(blob);
  aborted.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  await first.write(bytes("hello "));
  await first.close({ keep: true });
  const ingest = await third;
  expect(ingest?.offset).toBe(6);
  await ingest?.close({ keep: false });
});

test("put, adopt and remove", async () => {
  expect(await store.put(content)).toBe(blob.digest);
  expect(await store.put(content)).toBe(blob.digest);

  const spooled = join(directory, "ingest/spool");
  writeFileSync(spooled, content);
  await store.adopt(spooled, blob);
  expect(existsSync(spooled)).toBe(false);

  expect(await store.remove(blob.digest)).toBe(true);
  expect(await store.remove(blob.digest)).toBe(false);
  expect(() => store.path(blob.digest)).toThrow(`no such blob: ${blob.digest}`);
  expect(readdirSync(join(directory, "blobs/sha256"))).toEqual([]);

  writeFileSync(spooled, content);
  await store.adopt(spooled, blob);
  expect(await store.read(blob.digest)).toEqual(content);
});

test("a blob that comes back while it is being removed is there at the end", async () => {
  await store.put(content);
  const removed = store.remove(blob.digest);
  const put = store.put(content);
  await Promise.all([removed, put]);
  expect(await store.read(blob.digest)).toEqual(content);
});

test("a sha512 blob has its own folder", async () => {
  const digest = digestOf(content, "sha512");
  const ingest = await begin({ digest });
  await ingest.write(content);
  await ingest.commit();
  expect(existsSync(join(directory, "blobs/sha512", digestHex(digest)))).toBe(true);
});

test("many large chunks in one go arrive whole and in order", async () => {
  const chunks = Array.from({ length: 40 }, (_, index) => new Uint8Array(300_001).fill(index));
  const whole = Buffer.concat(chunks);
  const ingest = await begin({ digest: digestOf(whole), size: whole.length });
  for (const chunk of chunks) await ingest.write(chunk);
  await ingest.commit();
  expect(digestOf(await store.read(digestOf(whole)))).toBe(digestOf(whole));
});

describe("partial blobs", () => {
  test("are listed and removed only while nobody writes them", async () => {
    const running = await begin();
    await running.write(bytes("hello"));
    expect([await store.partials(), await store.removePartial(blob.digest)]).toEqual([[], false]);
    await running.close({ keep: true });
    expect(await store.partials()).toMatchObject([{ digest: blob.digest, size: 5 }]);
    expect([await store.removePartial(blob.digest), partials()]).toEqual([true, []]);
    expect(await store.removePartial(blob.digest)).toBe(false);
  });
});

describe("labels", () => {
  test("last as long as the blob, over restarts, and an empty value takes one away", async () => {
    await store.put(content);
    expect(await store.labels(blob.digest)).toEqual({});
    await Promise.all([store.label(blob.digest, { a: "1" }), store.label(blob.digest, { b: "2", c: "3" })]);
    store = new FileContentStore(directory);
    expect(await store.labels(blob.digest)).toEqual({ a: "1", b: "2", c: "3" });
    await store.label(blob.digest, { a: "", b: "two" });
    expect(await store.labels(blob.digest)).toEqual({ b: "two", c: "3" });
    await store.remove(blob.digest);
    await store.put(content);
    expect(await store.labels(blob.digest)).toEqual({});
  });

  test("are for blobs that are there", async () => {
    await expect(store.label(blob.digest, { a: "1" })).rejects.toThrow("no such blob");
    await store.put(content);
    await store.label(blob.digest, { a: "1" });
    rmSync(store.path(blob.digest)); // a crash between the two files of a removal
    store = new FileContentStore(directory);
    await store.put(content);
    expect(await store.labels(blob.digest)).toEqual({});
  });
});

test("an ingest whose file cannot be removed lets the next one begin", async () => {
  const ingest = await begin();
  await ingest.write(bytes("hello"));
  rmSync(ingest.path);
  mkdirSync(ingest.path);
  await expect(ingest.close({ keep: false })).rejects.toThrow();
  expect((await store.partials()).map(({ digest }) => digest)).toEqual([blob.digest]); // nobody holds it
  await expect(Array.fromAsync(ingest.grown)).rejects.toThrow("was given up");
});
