import { describe, expect, test } from "bun:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { decompress } from "../unpack/decompress.ts";
import { compress } from "./compress.ts";
import { GzipCrew } from "./gzip-crew.ts";
import { gzipMembers } from "./gzip-members.ts";
import { gzipPiece, pieceBytes } from "./gzip-piece.ts";

const piece = pieceBytes;

const all = Buffer.alloc(8 * piece);
for (let at = 0, state = 1; at < all.length; at++) {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
  all[at] = at >= 5000 && (at >> 6) % 3 > 0 ? (all[at - 5000] ?? 0) : 97 + ((state >> 16) % 23);
}
/** Text that repeats itself over some kilobytes. */
const sample = (length: number) => all.subarray(0, length);

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const joined = async (source: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(source));

const plain = { gzip: gunzipSync, zstd: zstdDecompressSync };

describe.each(["gzip", "zstd"] as const)("%s", (kind) => {
  const packed = (bytes: Buffer, size = 10_000) => joined(compress(pieces(bytes, size), kind));

  test("does not depend on how the bytes are cut into pieces", async () => {
    const bytes = sample(3 * piece + 1);
    const whole = await packed(bytes, bytes.length);
    for (const size of [777, piece, piece + 1]) expect((await packed(bytes, size)).equals(whole)).toBe(true);
  });

  test.each([0, 1, piece - 1, piece, piece + 1, 6 * piece + 5])("%i bytes come back", async (length) => {
    const bytes = sample(length);
    const blob = await packed(bytes);
    expect(plain[kind](blob).equals(bytes)).toBe(true);
    expect((await joined(decompress(pieces(blob, 1000), "blob"))).equals(bytes)).toBe(true);
  });

  test("an error of the source is the error", async () => {
    async function* broken() {
      yield sample(5 * piece);
      throw new Error("the disk is gone");
    }
    await expect(joined(compress(broken(), kind))).rejects.toThrow("the disk is gone");
  });

  test("who has enough may leave", async () => {
    for await (const first of compress(pieces(sample(8 * piece), piece), kind)) {
      expect(first.length).toBeGreaterThan(0);
      break;
    }
  });
});

test("gzip does not depend on how many pieces are compressed at a time", async () => {
  const bytes = sample(7 * piece + 3);
  const one = await joined(gzipMembers(pieces(bytes, piece), 1));
  for (const workers of [2, 5]) {
    expect((await joined(gzipMembers(pieces(bytes, piece), workers))).equals(one)).toBe(true);
  }
});

test("a reader may get a member's last byte last", async () => {
  const bytes = sample(2 * piece);
  const members = [
    gzipPiece(new Uint8Array(bytes.subarray(0, piece))),
    gzipPiece(new Uint8Array(bytes.subarray(piece))),
  ];
  async function* oneByOne() {
    yield* members;
  }
  expect((await joined(decompress(oneByOne(), "blob"))).equals(bytes)).toBe(true);
});

test("a Worker that breaks down is the error of its pieces", async () => {
  using crew = new GzipCrew(1);
  await crew.gzip(Buffer.alloc(1)); // which needs no Worker
  const noBytes = { buffer: new ArrayBuffer(1) } as unknown as Uint8Array<ArrayBuffer>;
  const waiting = [crew.gzip(noBytes), crew.gzip(Buffer.alloc(1))];
  for (const each of waiting) await expect(each).rejects.toThrow("the compressing worker broke down");
});
