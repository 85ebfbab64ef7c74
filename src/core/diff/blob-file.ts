import { once } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import type { Transform } from "node:stream";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import { createDigester } from "../../formats/digest.ts";
import type { Digest } from "../content/contract.ts";
import { fileError } from "../content/file-error.ts";
import type { LayerCompression } from "./contract.ts";

/** Pieces that the compressor gets, and gives out. */
const chunkSize = 256 * 1024;

/** The levels are written down: another default would change the digest of the same layer. */
const compressors: Record<LayerCompression, () => Transform> = {
  gzip: () => createGzip({ level: 6, chunkSize }),
  zstd: () => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 }, chunkSize }),
};

/** Writes `source` to the new file `path`, hashed on the way. Errors: System, naming the file. */
export async function writeBlobFile(
  path: string,
  source: AsyncIterable<Uint8Array>,
): Promise<{ digest: Digest; size: number }> {
  const fd = orFileError(path, () => openSync(path, "wx", 0o600));
  try {
    const digester = createDigester();
    let size = 0;
    for await (const piece of source) {
      digester.update(piece);
      for (let at = 0; at < piece.length; ) at += orFileError(path, () => writeSync(fd, piece, at));
      size += piece.length;
    }
    return { digest: digester.digest(), size };
  } finally {
    closeSync(fd);
  }
}

/** `source` compressed, on zlib's own thread. The same bytes give the same bytes, however they are cut into pieces. */
export async function* compress(
  source: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
): AsyncGenerator<Uint8Array> {
  const compressor = compressors[compression]();
  let failure: { error: unknown } | undefined;
  const feeding = feed(compressor, evenPieces(source)).catch((error: unknown) => {
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

/** What a compressor makes of bytes depends on how many it gets at a time: it always gets the same number. */
async function* evenPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = Buffer.allocUnsafeSlow(chunkSize);
  let filled = 0;
  for await (const given of source) {
    for (let at = 0; at < given.length; ) {
      const length = Math.min(chunkSize - filled, given.length - at);
      piece.set(given.subarray(at, at + length), filled);
      filled += length;
      at += length;
      if (filled < chunkSize) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(chunkSize);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

function orFileError<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError(error, `write ${path}`);
  }
}
