import { closeSync, openSync, writeSync } from "node:fs";
import { createDigester } from "../../formats/digest.ts";
import type { Digest } from "../content/contract.ts";
import { fileError } from "../content/file-error.ts";

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

function orFileError<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError(error, `write ${path}`);
  }
}
