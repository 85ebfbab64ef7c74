import { closeSync, openSync, readSync } from "node:fs";
import { createDigester, type Digest, type DigestAlgorithm } from "../../formats/digest.ts";
import { fileError } from "../content/file-error.ts";

const readBytes = 1 << 20;

/** The digest of a file's bytes. For a Worker: it waits for the disk. Errors: System. */
export function hashFile(path: string, algorithm: DigestAlgorithm): Digest {
  try {
    const fd = openSync(path, "r");
    try {
      const digester = createDigester(algorithm);
      const buffer = Buffer.allocUnsafe(readBytes);
      for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
        digester.update(buffer.subarray(0, length));
      }
      return digester.digest();
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError(error, `read ${path}`);
  }
}
