import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPieces } from "./read-pieces.ts";

const directory = mkdtempSync(join(tmpdir(), "gantry-pieces-"));
const path = join(directory, "file");
const content = Buffer.from(Array.from({ length: 1_300_000 }, (_, at) => at * 7));
writeFileSync(path, content);
afterAll(() => rmSync(directory, { recursive: true }));

async function read(range?: { start?: number; end?: number }): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readPieces(path, range)) pieces.push(piece);
  return Buffer.concat(pieces);
}

const isOpen = () =>
  readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false; // the directory's own
    }
  });

test.each([
  [undefined, 0, 1_300_000],
  [{ start: 600_000 }, 600_000, 1_300_000],
  [{ start: 5, end: 1_200_001 }, 5, 1_200_001],
  [{ start: 0, end: 9_999_999 }, 0, 1_300_000],
  [{ start: 7, end: 7 }, 7, 7],
] as const)("%p gives the bytes from %p to %p", async (range, start, end) => {
  expect((await read(range)).equals(content.subarray(start, end))).toBe(true);
});

test("pieces stay as they are when later ones are read", async () => {
  const pieces = readPieces(path);
  const first = (await pieces.next()).value;
  await pieces.next();
  expect(Buffer.from(first ?? []).equals(content.subarray(0, first?.length))).toBe(true);
  await pieces.return();
});

test("a reader that leaves closes the file", async () => {
  for await (const _piece of readPieces(path)) {
    expect(isOpen()).toBe(true);
    break;
  }
  expect(isOpen()).toBe(false);
});
