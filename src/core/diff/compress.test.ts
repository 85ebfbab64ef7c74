import { describe, expect, test } from "bun:test";
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { decompress } from "../unpack/decompress.ts";
import { compress } from "./compress.ts";
import { gzipBlocks } from "./gzip-blocks.ts";

const block = 128 * 1024;

/** Compresses to about a third, and repeats itself over some kilobytes. */
function sample(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    bytes[at] = at >= 5000 && (at >> 6) % 3 > 0 ? (bytes[at - 5000] ?? 0) : 97 + ((state >> 16) % 23);
  }
  return bytes;
}

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const joined = async (source: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(source));

const plain = { gzip: gunzipSync, zstd: zstdDecompressSync };

describe.each(["gzip", "zstd"] as const)("%s", (kind) => {
  const packed = (bytes: Buffer, size = 10_000) => joined(compress(pieces(bytes, size), kind));

  test("does not depend on how the bytes are cut into pieces", async () => {
    const bytes = sample(3 * block + 1);
    const whole = await packed(bytes, bytes.length);
    for (const size of [777, block, block + 1]) expect((await packed(bytes, size)).equals(whole)).toBe(true);
  });

  test.each([0, 1, block - 1, block, block + 1, 9 * block + 5])("%i bytes come back", async (length) => {
    const bytes = sample(length);
    const blob = await packed(bytes);
    expect(plain[kind](blob).equals(bytes)).toBe(true);
    expect((await joined(decompress(pieces(blob, 1000), "blob"))).equals(bytes)).toBe(true);
  });

  test("an error of the source is the error", async () => {
    async function* broken() {
      yield sample(5 * block);
      throw new Error("the disk is gone");
    }
    await expect(joined(compress(broken(), kind))).rejects.toThrow("the disk is gone");
  });

  test("who has enough may leave", async () => {
    for await (const piece of compress(pieces(sample(20 * block), block), kind)) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
  });
});

test("gzip does not depend on how many blocks are compressed at a time, and loses next to nothing by it", async () => {
  const bytes = sample(12 * block);
  const one = await joined(gzipBlocks(pieces(bytes, block), 1));
  for (const parallel of [2, 7, 50]) {
    expect((await joined(gzipBlocks(pieces(bytes, block), parallel))).equals(one)).toBe(true);
  }
  expect(one.length).toBeLessThan(gzipSync(bytes, { level: 6 }).length * 1.01);
});
