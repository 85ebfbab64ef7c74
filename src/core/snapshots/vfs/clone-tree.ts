import { copyFile } from "../../../kernel/copy-file.ts";
import {
  check,
  type FileStatus,
  O_DIRECTORY,
  O_NOFOLLOW,
  tryClose,
  tryLinkAt,
  tryMkdirAt,
  tryMknodAt,
  tryOpen,
  tryOpenAt,
  tryReadDirectory,
  tryReadLinkAt,
  trySymlinkAt,
} from "../../../kernel/file-calls.ts";
import {
  bytePath,
  deviceNumber,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../../../kernel/files.ts";
import { copyAttributes, must, placeIn, self, statIn } from "./tree-place.ts";

export interface TreeClone {
  readonly from: string;
  /** An empty directory; gets the attributes of `from` too. */
  readonly to: string;
  /** `link`: the same files under one more name, for trees that nobody writes to; where the kernel refuses, a copy. */
  readonly files: "copy" | "link";
}

/**
 * Copies a directory tree with hard links, holes, devices, owners, modes, times and extended attributes; sockets are
 * left out. Synchronous: meant for a Worker. Errors: System, naming the file and errno.
 */
export function cloneTree({ from, to, files }: TreeClone): void {
  const source = check(tryOpen(from, O_DIRECTORY), `open ${from}`);
  const target = check(tryOpen(to, O_DIRECTORY), `open ${to}`);
  try {
    new TreeCloner(target, files).directory(source, target, "");
    copyAttributes(statIn(source, self), placeIn(source, self), placeIn(target, self));
  } finally {
    tryClose(source);
    tryClose(target);
  }
}

class TreeCloner {
  /** First new names (relative to the root) of files that have several, by inode. */
  readonly #firstNames = new Map<string, Uint8Array>();

  constructor(
    private readonly rootFd: number,
    private readonly files: TreeClone["files"],
  ) {}

  directory(source: number, target: number, prefix: string): void {
    const names = tryReadDirectory(source);
    if (typeof names === "number") throw check(names, "read directory");
    for (const name of names) this.#entry(source, target, name, prefix);
  }

  #entry(source: number, target: number, name: Uint8Array, prefix: string): void {
    const status = statIn(source, name);
    const type = status.mode & S_IFMT;
    if (type === S_IFSOCK) return; // nobody listens on it any more
    if (type === S_IFDIR) this.#subdirectory(source, target, name, prefix);
    else if (this.#link(source, target, name, status, prefix)) return;
    else this.#copy(source, target, name, status);
    copyAttributes(status, placeIn(source, name), placeIn(target, name));
  }

  #subdirectory(source: number, target: number, name: Uint8Array, prefix: string): void {
    must(tryMkdirAt(target, bytePath(name), 0o700), "make directory", name);
    const from = must(tryOpenAt(source, bytePath(name), O_DIRECTORY | O_NOFOLLOW), "open", name);
    try {
      const to = must(tryOpenAt(target, bytePath(name), O_DIRECTORY | O_NOFOLLOW), "open", name);
      try {
        this.directory(from, to, `${prefix}${Buffer.from(name).toString("latin1")}/`);
      } finally {
        tryClose(to);
      }
    } finally {
      tryClose(from);
    }
  }

  /** Whether one more name was enough. There are limits to links (EMLINK), and file systems without them. */
  #link(source: number, target: number, name: Uint8Array, status: FileStatus, prefix: string): boolean {
    if (this.files === "link") return tryLinkAt(source, bytePath(name), target, bytePath(name)) === 0;
    if (status.links < 2) return false;
    const first = this.#firstNames.get(status.inode);
    if (first) return tryLinkAt(this.rootFd, first, target, bytePath(name)) === 0;
    const path = Buffer.concat([Buffer.from(prefix, "latin1"), name]);
    this.#firstNames.set(status.inode, bytePath(path));
    return false;
  }

  #copy(source: number, target: number, name: Uint8Array, status: FileStatus): void {
    const type = status.mode & S_IFMT;
    if (type === S_IFREG) copyFile(source, target, bytePath(name), status.sizeBytes);
    else if (type === S_IFLNK) {
      const link = tryReadLinkAt(source, bytePath(name));
      if (typeof link === "number") throw check(link, "read symlink");
      must(trySymlinkAt(bytePath(link), target, bytePath(name)), "make symlink", name);
    } else {
      const device = deviceNumber(status.deviceMajor, status.deviceMinor);
      must(tryMknodAt(target, bytePath(name), type | 0o600, device), "make node", name);
    }
  }
}
