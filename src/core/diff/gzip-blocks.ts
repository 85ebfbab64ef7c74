import { availableParallelism } from "node:os";
import { constants, crc32, deflateRaw } from "node:zlib";
import { evenPieces } from "./even-pieces.ts";

/** Level and block size are written down: with others the digest of the same layer would change. */
const level = 6;

/** Small enough that whoever else needs a thread of the pool waits only some milliseconds for one. */
const blockBytes = 128 * 1024;

/** As far as deflate looks back. RFC 1951, section 2. */
const windowBytes = 32 * 1024;

/** Each block in work costs about half a megabyte. */
const mostAtATime = 8;

/** Deflate, no name, no time, made on Unix. RFC 1952, section 2.3. */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

/** An empty last block. RFC 1951, section 3.2.6. */
const lastBlock = Uint8Array.of(3, 0);

/**
 * `source` as one gzip member, whose blocks are compressed at the same time: each knows the bytes before it, so that
 * hardly anything is lost, and ends at a whole byte, so that they can be put together. The same bytes give the same
 * bytes, however they are cut into pieces and however many processors there are.
 */
export async function* gzipBlocks(
  source: AsyncIterable<Uint8Array>,
  parallel = Math.min(availableParallelism(), mostAtATime),
): AsyncGenerator<Uint8Array> {
  yield header;
  const inWork: Promise<Uint8Array>[] = [];
  let window: Uint8Array | undefined;
  let [checksum, length] = [0, 0];
  for await (const block of evenPieces(source, blockBytes)) {
    inWork.push(deflateBlock(block, window));
    window = block.subarray(-windowBytes);
    checksum = crc32(block, checksum);
    length += block.length;
    // One more than can be worked on is there when a place becomes free.
    const first = inWork.length > parallel ? inWork.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const block of inWork) yield await block;
  yield lastBlock;
  yield trailer(checksum, length);
}

/** The result settles also when nobody waits for it any more. */
function deflateBlock(block: Uint8Array, dictionary: Uint8Array | undefined): Promise<Uint8Array> {
  const options = { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: blockBytes };
  const deflated = new Promise<Uint8Array>((resolve, reject) => {
    deflateRaw(block, dictionary === undefined ? options : { ...options, dictionary }, (error, bytes) =>
      error ? reject(error) : resolve(bytes),
    );
  });
  deflated.catch(() => undefined);
  return deflated;
}

function trailer(checksum: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(checksum, 0);
  bytes.writeUInt32LE(length % 2 ** 32, 4);
  return bytes;
}
