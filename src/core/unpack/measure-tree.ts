import { type BigIntStats, lstatSync } from "node:fs";
import {
  check,
  ENOENT,
  O_DIRECTORY,
  O_NOFOLLOW,
  tryClose,
  tryOpen,
  tryOpenAt,
  tryReadDirectory,
} from "../../kernel/file-calls.ts";
import { bytePath } from "../../kernel/files.ts";
import { differs } from "../snapshots/vfs/differs.ts";

interface TreeSize {
  readonly sizeBytes: number;
  readonly inodes: number;
}

/** One descriptor for each level; what a container puts deeper is not counted, and does not keep others from being so. */
const maxDepth = 512;

/**
 * Bytes and number of the files below a directory, without itself; files with several names count once. With
 * `original` (trees on top of each other, top first), only what is not the same at the same place there. The tree may be
 * a container's that runs: what is gone when it is looked for does not count.
 */
export function measureTree(directory: string, original: readonly string[] = []): TreeSize {
  const measure = new Measure(original);
  const opened = tryOpen(directory, O_DIRECTORY);
  if (opened === -ENOENT) return { sizeBytes: 0, inodes: 0 };
  const fd = check(opened, `open ${directory}`);
  try {
    measure.add(fd, Buffer.alloc(0), maxDepth);
  } finally {
    tryClose(fd);
  }
  const { sizeBytes, inodes } = measure;
  return { sizeBytes, inodes };
}

class Measure implements TreeSize {
  sizeBytes = 0;
  inodes = 0;
  readonly #linked = new Set<string>();

  constructor(private readonly original: readonly string[]) {}

  /** By descriptors: a container's paths may have any length, and names any bytes. `path` begins each of `original`'s names. */
  add(directoryFd: number, path: Buffer, levelsLeft: number): void {
    const names = tryReadDirectory(directoryFd);
    if (typeof names === "number") return;
    for (const name of names) {
      const status = statusAt(`/proc/self/fd/${directoryFd}/`, name);
      if (status === undefined) continue;
      const below = Buffer.concat([path, name]);
      this.#count(status, below);
      if (!status.isDirectory() || levelsLeft === 0) continue;
      const fd = tryOpenAt(directoryFd, bytePath(name), O_DIRECTORY | O_NOFOLLOW);
      if (fd < 0) continue;
      try {
        this.add(fd, Buffer.concat([below, slash]), levelsLeft - 1);
      } finally {
        tryClose(fd);
      }
    }
  }

  #count(status: BigIntStats, path: Buffer): void {
    const before = this.#before(path);
    if (before !== undefined && !differs(status, before)) return;
    if (status.nlink > 1n && !status.isDirectory()) {
      const inode = `${status.dev}:${status.ino}`;
      if (this.#linked.has(inode)) return;
      this.#linked.add(inode);
    }
    this.inodes++;
    if (status.isFile()) this.sizeBytes += Number(status.size);
  }

  #before(path: Buffer): BigIntStats | undefined {
    for (const tree of this.original) {
      const status = statusAt(`${tree}/`, path);
      if (status !== undefined) return status;
    }
    return undefined;
  }
}

const slash = Buffer.from("/");

/** Undefined also for a path that is too long: no image has one. */
function statusAt(directory: string, name: Uint8Array): BigIntStats | undefined {
  try {
    return lstatSync(Buffer.concat([Buffer.from(directory), name]), { throwIfNoEntry: false, bigint: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENAMETOOLONG") return undefined;
    throw error;
  }
}
