import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { invalidParameter, messageOf } from "../../errors/platform-error.ts";
import { inflateWithProgram, type ProgramCompression } from "./inflate-with-program.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Output comes in pieces of this size: larger ones cost memory, smaller ones calls. */
const outputBytes = 256 * 1024;

/** Room for pieces that are ready: with less, zlib's thread would stand still while the last one is consumed. */
const readyBytes = 4 * outputBytes;
const options = { chunkSize: outputBytes, highWaterMark: readyBytes };

const magics: readonly { bytes: readonly number[]; is: Compression | ProgramCompression }[] = [
  { bytes: [0x1f, 0x8b], is: "gzip" },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], is: "zstd" },
  { bytes: [0x42, 0x5a, 0x68], is: "bzip2" },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], is: "xz" },
];

/** Skippable frames may come first in zstd: magic 0x184D2A50 to 0x184D2A5F. RFC 8878, section 3.1.2. */
const isSkippableFrame = (head: Uint8Array): boolean =>
  ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;

/** By the first bytes (6 are enough): media types are not always right. */
export function sniffCompression(head: Uint8Array): Compression | ProgramCompression {
  if (isSkippableFrame(head)) return "zstd";
  return magics.find(({ bytes }) => bytes.every((byte, at) => head[at] === byte))?.is ?? "none";
}

/** Layers use no other. */
export const isBuiltIn = (compression: Compression | ProgramCompression): compression is Compression =>
  compression !== "bzip2" && compression !== "xz";

/** By the first bytes of a layer. Errors: InvalidParameter for bzip2 and xz. */
export function layerCompression(head: Uint8Array, what: string): Compression {
  const compression = sniffCompression(head);
  if (isBuiltIn(compression)) return compression;
  throw unsupported(compression, what);
}

export interface DecompressOptions {
  /** Whether programs of this machine may do what is not built in: for archives that a user brings. */
  readonly withPrograms?: boolean;
}

/**
 * The uncompressed bytes of `source`. Inflating runs on zlib's own thread while the caller works on the piece before.
 * Errors: InvalidParameter naming `what` for corrupt or truncated data, and for compressions that layers do not use;
 * those of the source as they are.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  what: string,
  { withPrograms = false }: DecompressOptions = {},
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    const head: Uint8Array[] = [];
    while (sizeOf(head) < 6) {
      const next = await chunks.next();
      if (next.done) break;
      head.push(new Uint8Array(next.value)); // the source may use its memory again
    }
    const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => chunks };
    const compression = sniffCompression(Buffer.concat(head).subarray(0, 6));
    if (!isBuiltIn(compression)) {
      if (!withPrograms) throw unsupported(compression, what);
      yield* inflateWithProgram(compression, joined(head, rest), what);
    } else if (compression === "none") {
      yield* head;
      yield* rest;
    } else {
      yield* inflate(compression, head, rest, what);
    }
  } finally {
    await chunks.return?.();
  }
}

async function* joined(
  head: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  yield* rest;
}

function unsupported(compression: ProgramCompression, what: string) {
  return invalidParameter(`${what}: compression ${compression} is not supported`, {
    hint: "compress it with gzip or zstd, or not at all",
    code: "layer.compression",
  });
}

const sizeOf = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((total, chunk) => total + chunk.length, 0);

async function* inflate(
  compression: "gzip" | "zstd",
  head: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  const inflater: Transform = compression === "gzip" ? createGunzip(options) : createZstdDecompress(options);
  let sourceFailure: { error: unknown } | undefined;
  const feeding = feed(inflater, head, rest).catch((error: unknown) => {
    sourceFailure = { error };
    inflater.destroy(new Error("source failed"));
  });
  try {
    for await (const piece of inflater) yield piece;
  } catch (error) {
    if (sourceFailure) throw sourceFailure.error;
    throw invalidParameter(`${what}: corrupt ${compression} data: ${messageOf(error)}`, {
      code: "layer.corrupt",
      cause: error,
    });
  } finally {
    inflater.destroy();
    await feeding;
  }
}

/**
 * Writes all chunks; gives up quietly when the inflater closes, since its reading side reports why. The next chunk waits in
 * the inflater while one is inflated: else zlib's thread would stand still until the caller is done with a piece.
 */
async function feed(
  inflater: Transform,
  head: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): Promise<void> {
  // The callback of a write is not called after an error.
  const closed = new Promise<void>((resolve) => inflater.once("close", () => resolve()));
  const write = (chunk: Uint8Array) => new Promise<void>((resolve) => inflater.write(chunk, () => resolve()));
  let before: Promise<void> | undefined;
  for (const chunk of head) before = write(chunk);
  for await (const chunk of rest) {
    const written = write(chunk);
    await Promise.race([before, closed]);
    if (inflater.destroyed) return;
    before = written;
  }
  inflater.end();
}
