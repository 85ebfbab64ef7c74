import { type FileHandle, open } from "node:fs/promises";

const pieceBytes = 512 * 1024;

/**
 * The bytes of a file from `start` to before `end`, each piece in memory of its own. They are read on the thread pool, one
 * piece ahead of the reader: `Bun.file().stream()` reads regular files on the calling thread, which then waits for the disk.
 */
export async function* readPieces(
  path: string,
  { start = 0, end = Number.POSITIVE_INFINITY }: { start?: number; end?: number } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(path);
  let next = readPiece(file, start, end);
  try {
    for (let position = start; ; ) {
      const piece = await next;
      position += piece.length;
      if (piece.length === 0) return;
      next = readPiece(file, position, end);
      next.catch(() => {}); // the reader gets it when it comes back for more
      yield piece;
    }
  } finally {
    await next.catch(() => {}); // the file is closed only when nobody reads it
  }
}

async function readPiece(file: FileHandle, position: number, end: number): Promise<Uint8Array> {
  const length = Math.min(pieceBytes, end - position);
  if (length <= 0) return new Uint8Array();
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
