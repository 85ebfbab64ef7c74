import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../formats/digest.ts";
import { writeTar } from "../../formats/tar/tar-writer.ts";
import { layerEntries } from "./layer-entries.ts";

const scratch = mkdtempSync(join(tmpdir(), "layer-entries-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
let upper: string;
beforeEach(() => {
  upper = join(scratch, String(++count));
  mkdirSync(upper);
});

const never = new AbortController().signal;
const options = { form: "overlay" as const, lower: [], skipped: new Set<string>() };

async function entries(more: Partial<typeof options> = {}) {
  const found = await Array.fromAsync(layerEntries({ upper, ...options, ...more }, never));
  return found.map(({ entry }) => entry);
}
const names = async (more?: Partial<typeof options>) => (await entries(more)).map(({ path }) => path);

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

/** The same tree, however it came to be. */
function makeTree(files: readonly string[]): void {
  for (const path of files) {
    mkdirSync(join(upper, path, ".."), { recursive: true });
    writeFileSync(join(upper, path), path, { mode: 0o640 });
  }
  for (const path of [...files, "d/e", "d", "."]) utimesSync(join(upper, path), new Date(), new Date(12_345));
}

test("the tar depends on the tree alone", async () => {
  const files = ["b", "d/e/f", "d/e/g", "d/z", "a"];
  makeTree(files);
  const first = await bytesOf(writeTar(layerEntries({ upper, ...options }, never)));
  upper = join(scratch, "again");
  mkdirSync(upper);
  makeTree(files.toReversed());
  expect(await names()).toEqual(["a", "b", "d/", "d/e/", "d/e/f", "d/e/g", "d/z"]);
  const second = await bytesOf(writeTar(layerEntries({ upper, ...options }, never)));
  expect(digestOf(second)).toBe(digestOf(first));
});

test("names of one file are links to the first; times have whole seconds", async () => {
  writeFileSync(join(upper, "m"), "x");
  linkSync(join(upper, "m"), join(upper, "a"));
  symlinkSync("m", join(upper, "s"));
  chmodSync(join(upper, "m"), 0o4711);
  utimesSync(join(upper, "m"), 5, 7.5);
  const [a, m, s] = await entries();
  expect(a).toMatchObject({ path: "a", type: "file", size: 1, mode: 0o4711 });
  expect(a?.mtime).toEqual({ seconds: 7, nanoseconds: 0 });
  expect(m).toMatchObject({ path: "m", type: "hardlink", linkPath: "a" });
  expect(s).toMatchObject({ path: "s", type: "symlink", linkPath: "m" });
});

test("sockets are left out, and what is skipped, with the directory that is there only for it", async () => {
  const server = createServer().listen(join(upper, "socket"));
  mkdirSync(join(upper, "only"));
  writeFileSync(join(upper, "only/engine"), "");
  mkdirSync(join(upper, "both"));
  for (const name of ["engine", "own"]) writeFileSync(join(upper, "both", name), "");
  mkdirSync(join(upper, "empty"));
  const skipped = new Set(["only/engine", "both/engine", "none/engine"]);
  expect(await names({ skipped })).toEqual(["both/", "both/own", "empty/"]);
  server.close();
});

test("a name that means a deletion is refused", async () => {
  mkdirSync(join(upper, "d"));
  writeFileSync(join(upper, "d/.wh.x"), "");
  await expect(names()).rejects.toThrow('the file "/d/.wh.x" cannot be in a layer');
});
