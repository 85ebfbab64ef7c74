/** Written down, as `pieceBytes` is: with another one the digest of the same layer would change. */
const level = 5;

/** Of the bytes that become a gzip member of their own. Smaller ones would have less to refer back to. */
export const pieceBytes = 1024 * 1024;

/** A whole gzip member: no name, no time. 10 ms of the calling thread for each MiB. RFC 1952, section 2.2. */
export function gzipPiece(piece: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return Bun.gzipSync(piece, { library: "libdeflate", level });
}
