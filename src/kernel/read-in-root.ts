import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { invalidParameter } from "../errors/platform-error.ts";
import { fileError } from "./cgroup-files.ts";
import { errnoName } from "./errno.ts";
import { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, tryOpenat2 } from "./openat2.ts";
import { errnoError } from "./syscall.ts";

const missing = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"]);

/**
 * Reads a small text file of a container's root. Links are resolved inside the root; a FIFO or device cannot make this wait.
 *
 * Out:    undefined where there is no regular file at `path`.
 * Errors: InvalidParameter for a file of more than `maximumBytes`; System naming the path.
 */
export function readFileInRoot(root: string, path: string, maximumBytes: number): string | undefined {
  const rootFd = openRoot(root);
  try {
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const fd = tryOpenat2(rootFd, path, { flags, resolve });
    if (fd < 0) {
      if (missing.has(errnoName(-fd))) return undefined;
      throw errnoError(-fd, `read ${path} of the container`);
    }
    try {
      return readRegular(fd, path, maximumBytes);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(rootFd);
  }
}

function openRoot(root: string): number {
  try {
    return openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw fileError(error, `open ${root}`);
  }
}

function readRegular(fd: number, path: string, maximumBytes: number): string | undefined {
  const stats = fstatSync(fd);
  if (!stats.isFile()) return undefined;
  if (stats.size > maximumBytes)
    throw invalidParameter(`${path} of the container has ${stats.size} bytes, more than ${maximumBytes}`);
  const bytes = Buffer.alloc(stats.size);
  let length = 0;
  while (length < bytes.length) {
    const count = readSync(fd, bytes, length, bytes.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return bytes.toString("utf8", 0, length);
}
