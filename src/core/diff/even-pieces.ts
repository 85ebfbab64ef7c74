/** `source` cut anew: every piece but the last has `sizeBytes` bytes, and memory of its own. */
export async function* evenPieces(
  source: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = Buffer.allocUnsafeSlow(sizeBytes);
  let filled = 0;
  for await (const given of source) {
    for (let at = 0; at < given.length; ) {
      const length = Math.min(sizeBytes - filled, given.length - at);
      piece.set(given.subarray(at, at + length), filled);
      filled += length;
      at += length;
      if (filled < sizeBytes) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(sizeBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
