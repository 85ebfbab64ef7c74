/** Reads Docker's stream frames independently of src/wire: type, three zero bytes, length (big endian), bytes. */
export function parseFrames(bytes: Buffer): { stdout: string; stderr: string } {
  const text = ["", "", ""];
  let at = 0;
  while (at < bytes.length) {
    const stream = bytes[at] ?? 0;
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    text[stream] += bytes.toString("latin1", at + 8, end);
    at = end;
  }
  if (at !== bytes.length) throw new Error("the last frame is cut off");
  return { stdout: text[1] ?? "", stderr: text[2] ?? "" };
}
