import { once } from "node:events";
import type { Transform } from "node:stream";
import { constants, createZstdCompress } from "node:zlib";
import type { LayerCompression } from "./contract.ts";
import { evenPieces } from "./even-pieces.ts";
import { gzipMembers } from "./gzip-members.ts";

/** Pieces that the compressor gets, and gives out. */
const chunkSize = 256 * 1024;

/** Written down: another default would change the digest of the same layer. */
const zstdLevel = 3;

/** `source` compressed, on other threads. The same bytes give the same bytes, however they are cut into pieces. */
export function compress(
  source: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
): AsyncGenerator<Uint8Array> {
  if (compression === "gzip") return gzipMembers(source);
  const params = { [constants.ZSTD_c_compressionLevel]: zstdLevel };
  return through(createZstdCompress({ params, chunkSize }), source);
}

async function* through(
  compressor: Transform,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let failure: { error: unknown } | undefined;
  // What a compressor makes of bytes depends on how many it gets at a time: it always gets the same number.
  const feeding = feed(compressor, evenPieces(source, chunkSize)).catch((error: unknown) => {
    failure = { error };
    compressor.destroy(new Error("source failed"));
  });
  try {
    yield* compressor;
  } catch (error) {
    throw failure ? failure.error : error;
  } finally {
    compressor.destroy();
    await feeding;
  }
}

async function feed(compressor: Transform, source: AsyncIterable<Uint8Array>): Promise<void> {
  // Listened for once: each of many pieces would leave a listener behind.
  const closed = new Promise<void>((resolve) => compressor.once("close", resolve));
  for await (const piece of source) {
    if (compressor.destroyed) return;
    if (!compressor.write(piece)) await Promise.race([once(compressor, "drain"), closed]);
  }
  compressor.end();
}
