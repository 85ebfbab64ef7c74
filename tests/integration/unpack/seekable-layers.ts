import { gzipSync, zstdCompressSync } from "node:zlib";

/** Pieces of a tar that can be inflated one by one. */
function* tarPieces(tar: Buffer): Generator<Buffer> {
  for (let at = 0; at < tar.length; at += 1024) yield tar.subarray(at, at + 1024);
}

/**
 * A tar in estargz' form: one gzip member for each part, and a footer, an empty member whose extra field tells where the
 * table of contents (`stargz.index.json`, the tar's last file) begins.
 */
export function eStargz(tar: Buffer): Buffer {
  const members = [...tarPieces(tar)].map((piece) => gzipSync(piece));
  const offset = members.slice(0, -1).reduce((sum, { length }) => sum + length, 0);
  const payload = Buffer.from(`${offset.toString(16).padStart(16, "0")}STARGZ`);
  const extra = Buffer.concat([Buffer.from("SG"), Buffer.of(payload.length, 0), payload]);
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, extra.length, 0]);
  const emptyBlock = Buffer.from([1, 0, 0, 0xff, 0xff]);
  return Buffer.concat([...members, head, extra, emptyBlock, Buffer.alloc(8)]);
}

/** A tar in the form of zstd:chunked: a frame for each part, then its manifest and a footer in frames that are skipped. */
export function zstdChunked(tar: Buffer): Buffer {
  const frames = [...tarPieces(tar)].map((piece) => zstdCompressSync(piece));
  const manifest = zstdCompressSync(Buffer.from('{"version":1,"entries":[]}'));
  return Buffer.concat([
    ...frames,
    skippable(manifest),
    skippable(Buffer.from("GNUlInUx".padStart(64, "\0"))),
  ]);
}

function skippable(content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}
