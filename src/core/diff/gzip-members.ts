import { availableParallelism } from "node:os";
import { evenPieces } from "./even-pieces.ts";
import { GzipCrew } from "./gzip-crew.ts";
import { gzipPiece, pieceBytes } from "./gzip-piece.ts";

/** More would wait for the one thread that reads and hashes. */
const mostWorkers = 4;

/**
 * `source` in gzip, as members that are compressed at the same time (RFC 1952, section 2.2: a file may have many). The
 * same bytes give the same bytes, however they are cut into pieces and however many processors there are.
 */
export async function* gzipMembers(
  source: AsyncIterable<Uint8Array>,
  workers = Math.min(availableParallelism(), mostWorkers),
): AsyncGenerator<Uint8Array> {
  using crew = new GzipCrew(workers);
  const inWork: Promise<Uint8Array>[] = [];
  let isEmpty = true;
  for await (const piece of evenPieces(source, pieceBytes)) {
    isEmpty = false;
    inWork.push(crew.gzip(piece));
    const first = inWork.length >= crew.capacity ? inWork.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const member of inWork) yield await member;
  if (isEmpty) yield gzipPiece(new Uint8Array(0));
}
