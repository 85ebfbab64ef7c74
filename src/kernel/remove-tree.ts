import { basename, dirname } from "node:path";
import {
  check,
  EISDIR,
  ENOENT,
  ENOTDIR,
  EPERM,
  O_DIRECTORY,
  O_NOFOLLOW,
  tryClose,
  tryOpen,
  tryOpenAt,
  tryReadDirectory,
  tryUnlinkAt,
} from "./file-calls.ts";
import { AT_REMOVEDIR, bytePath, type KernelPath } from "./files.ts";

/** Removes a path of the host with all that is below it; a missing one is fine. */
export function removeTree(path: string): void {
  const parentFd = check(tryOpen(dirname(path), O_DIRECTORY), `open ${dirname(path)}`);
  try {
    check(tryRemoveTree(parentFd, basename(path)), `remove ${path}`);
  } finally {
    tryClose(parentFd);
  }
}

/**
 * Removes a name in the open directory `directoryFd`, with all that is below it; symlinks are removed, never
 * followed. Works for names of any bytes and trees of any length of path; needs one descriptor for each level.
 * Returns 0 (also when there is no such name) or -errno.
 */
export function tryRemoveTree(directoryFd: number, name: KernelPath): number {
  const result = tryUnlinkAt(directoryFd, name, 0);
  if (result === -ENOENT) return 0;
  // Linux says EISDIR, POSIX EPERM.
  if (result !== -EISDIR && result !== -EPERM) return result;
  const emptied = emptyDirectory(directoryFd, name);
  if (emptied === -ENOTDIR) return result;
  return emptied < 0 ? emptied : tryUnlinkAt(directoryFd, name, AT_REMOVEDIR);
}

function emptyDirectory(directoryFd: number, name: KernelPath): number {
  const fd = tryOpenAt(directoryFd, name, O_DIRECTORY | O_NOFOLLOW);
  if (fd < 0) return fd;
  try {
    const children = tryReadDirectory(fd);
    if (typeof children === "number") return children;
    for (const child of children) {
      const result = tryRemoveTree(fd, bytePath(child));
      if (result < 0) return result;
    }
    return 0;
  } finally {
    tryClose(fd);
  }
}
