import { createReadStream } from "node:fs";
import { createDigester, type Digest } from "../../formats/digest.ts";
import type { UnpackLimits } from "../unpack/contract.ts";
import { decompress, isBuiltIn, sniffCompression } from "../unpack/decompress.ts";
import { inflateWithProgram } from "../unpack/inflate-with-program.ts";
import { overLimit } from "../unpack/layer-error.ts";
import { writeBlobFile } from "./blob-file.ts";
import { compress } from "./compress.ts";
import type { LayerCompression, PackedLayer } from "./contract.ts";
import { hashed } from "./pack-layer.ts";

export interface ArchiveToPack {
  /** A new file. */
  readonly path: string;
  /** For a tar that comes without compression. */
  readonly compression: LayerCompression;
  readonly limits: Pick<UnpackLimits, "unpackedBytes">;
}

/** Enough to recognise a compression. */
const headBytes = 6;

/**
 * Stores a tar from outside as a layer blob: one with a compression of layers as it is, others compressed anew. Whether
 * it is a tar at all is found out when it is unpacked. For a Worker.
 * Errors: InvalidParameter for corrupt data, a program that is missing, and what unpacks to more than the limit.
 */
export async function packArchive(
  { path, compression: wanted, limits }: ArchiveToPack,
  input: AsyncIterable<Uint8Array>,
): Promise<PackedLayer> {
  const chunks = input[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const whole = joined(head, chunks);
  const given = sniffCompression(head.subarray(0, headBytes));
  if (isBuiltIn(given) && given !== "none") {
    const blob = await writeBlobFile(path, whole);
    return { ...blob, compression: given, diffId: await uncompressedDigest(path, limits.unpackedBytes) };
  }
  const tar = isBuiltIn(given)
    ? whole
    : limited(inflateWithProgram(given, whole, what), limits.unpackedBytes);
  const digester = createDigester();
  const blob = await writeBlobFile(path, compress(hashed(tar, digester), wanted));
  return { ...blob, compression: wanted, diffId: digester.digest() };
}

const what = "imported archive";

async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const head: Uint8Array[] = [];
  for (let length = 0; length < headBytes; ) {
    const next = await chunks.next();
    if (next.done) break;
    head.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(head);
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

async function uncompressedDigest(path: string, limitBytes: number): Promise<Digest> {
  const digester = createDigester();
  for await (const piece of limited(decompress(createReadStream(path), what), limitBytes)) {
    digester.update(piece);
  }
  return digester.digest();
}

async function* limited(pieces: AsyncIterable<Uint8Array>, limitBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > limitBytes) throw overLimit("imported", `unpacks to more than ${limitBytes} bytes`);
    yield piece;
  }
}
