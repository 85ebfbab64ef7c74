import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
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

/** The end of mapped memory: what is before it can be read, what is behind it cannot. */
function endOfMemory(): number {
  const maps = readFileSync("/proc/self/maps", "utf8").split("\n");
  const ranges = maps.map((line) => /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line)?.slice(1) ?? []);
  const starts = new Set(ranges.map(([start]) => start));
  const last = ranges.find(([, end]) => end !== undefined && !starts.has(end));
  return Number.parseInt(last?.[1] ?? "", 16);
}

test("a piece that cannot be read is the reader's error, however late it asks", async () => {
  const pieces = readPieces("/proc/self/mem", { start: endOfMemory() - 4096 });
  expect((await pieces.next()).value).toHaveLength(4096);
  await Bun.sleep(20); // the read of the next piece has failed by now, and nobody has asked for it
  await expect(pieces.next()).rejects.toThrow("EIO");
});
