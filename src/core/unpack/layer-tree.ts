import { type ByteString, bytesOf, isAscii } from "../../formats/tar/byte-string.ts";
import {
  EEXIST,
  ENOENT,
  ENOTDIR,
  O_DIRECTORY,
  O_NOFOLLOW,
  tryChmodAt,
  tryChownAt,
  tryClose,
  tryMkdirAt,
  tryMknodAt,
  tryOpen,
  tryPathOfFd,
  trySetXattrOfFd,
  tryStatAt,
  tryUnlinkAt,
} from "../../kernel/file-calls.ts";
import { bytePath, type KernelPath, S_IFCHR, S_IFREG } from "../../kernel/files.ts";
import { O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_XDEV, tryOpenat2 } from "../../kernel/openat2.ts";
import { tryRemoveTree } from "../../kernel/remove-tree.ts";
import type { UnpackLimits } from "./contract.ts";
import { badEntry, overLimit, refusedByKernel } from "./layer-error.ts";
import { type LayerPath, split } from "./layer-path.ts";
import { opaqueName, opaqueXattr, type WhiteoutForm, whiteoutPrefix } from "./whiteout.ts";

/** Descriptors of directories kept open: archives come directory by directory. */
const maxOpenParents = 64;
const typeMask = 0o170000;
export const directoryType = 0o040000;
const yes = Uint8Array.of(0x79);

/** A name as system calls take it. */
export const kernelName = (name: ByteString): KernelPath => (isAscii(name) ? name : bytePath(bytesOf(name)));

/**
 * The directory of a layer while it is filled. Every access goes through the descriptor of the parent, which
 * openat2 resolved beneath the root: symlinks of the layer are followed as in a container, but never out of it.
 */
export class LayerTree {
  readonly #rootFd: number;
  readonly #rootPath: Uint8Array;
  /** By textual path, least recently used first. */
  readonly #parents = new Map<ByteString, number>();
  readonly #implied = new Set<ByteString>([""]);
  #entries = 0;
  #last: { path: ByteString; fd: number } | undefined;

  constructor(
    directory: string,
    private readonly layer: string,
    private readonly limits: UnpackLimits,
    private readonly whiteouts: WhiteoutForm,
  ) {
    const fd = tryOpen(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0) throw refusedByKernel(layer, "", `open ${directory}`, -fd);
    const path = tryPathOfFd(fd);
    if (typeof path === "number") throw refusedByKernel(layer, "", `read the path of ${directory}`, -path);
    this.#rootFd = fd;
    this.#rootPath = path;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Directories that were made for entries below them, but have no entry of their own (yet). */
  get impliedDirectories(): ByteString[] {
    return [...this.#implied];
  }

  /** The directory has an entry of its own, or is known not to exist in the layers below. */
  describe(path: ByteString): void {
    this.#implied.delete(path);
  }

  /** Every entry and every implied directory counts: one name can imply thousands. */
  countEntry(): void {
    this.#entries++;
    if (this.#entries > this.limits.entries) {
      throw overLimit(this.layer, `more than ${this.limits.entries} files and directories`);
    }
  }

  /** The open directory (O_PATH) in which `path` is or will be; made where it is missing. Owned by the tree. */
  parent(path: LayerPath): number {
    return this.directory(path.parent, path.path);
  }

  /** The open directory `path`; `entry` is for errors. */
  directory(path: ByteString, entry: ByteString): number {
    if (path === "") return this.#rootFd;
    if (this.#last?.path === path) return this.#last.fd;
    const known = this.#parents.get(path);
    if (known !== undefined) {
      this.#parents.delete(path);
      this.#remember(path, known);
      return known;
    }
    return this.#open(path, entry);
  }

  /** As `directory`, but undefined where there is none (any more). */
  existingDirectory(path: ByteString, entry: ByteString): number | undefined {
    if (path === "") return this.#rootFd;
    const known = this.#parents.get(path);
    if (known !== undefined) return known;
    const fd = this.#resolve(path);
    if (fd < 0) return undefined;
    this.#verifyPlace(fd, entry);
    this.#remember(path, fd);
    return fd;
  }

  #resolve(path: ByteString): number {
    const flags = O_PATH | O_DIRECTORY;
    return tryOpenat2(this.#rootFd, kernelName(path), { flags, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_XDEV });
  }

  #open(path: ByteString, entry: ByteString): number {
    let fd = this.#resolve(path);
    if (fd === -ENOENT || fd === -ENOTDIR) {
      this.#makeImplied(split(path), entry);
      fd = this.#resolve(path);
    }
    if (fd === -ENOENT) throw badEntry(this.layer, entry, "parent", "a parent is a symlink to nothing");
    if (fd === -ENOTDIR) throw badEntry(this.layer, entry, "parent", "a parent is not a directory");
    if (fd < 0) throw refusedByKernel(this.layer, entry, "open its parent", -fd);
    this.#verifyPlace(fd, entry);
    this.#remember(path, fd);
    return fd;
  }

  /**
   * Through symlinks a tree could be made deeper than its names are, until no path reaches its end and nobody can
   * remove it. So the true place counts. That it is below the root is certain; a second look costs nothing.
   */
  #verifyPlace(fd: number, entry: ByteString): void {
    const path = tryPathOfFd(fd);
    const inside = typeof path !== "number" && path.subarray(0, this.#rootPath.length);
    const depth = typeof path === "number" ? 0 : count(path.subarray(this.#rootPath.length), 0x2f);
    if (inside && Buffer.compare(inside, this.#rootPath) === 0 && depth < this.limits.pathDepth) return;
    tryClose(fd);
    throw badEntry(this.layer, entry, "depth", `lies more than ${this.limits.pathDepth} directories deep`);
  }

  #makeImplied(path: LayerPath, entry: ByteString): void {
    this.countEntry();
    const parentFd = this.parent(path);
    const name = kernelName(path.name);
    let result = tryMkdirAt(parentFd, name, 0o755);
    if (result === -EEXIST && this.isWhiteout(parentFd, name)) {
      this.replaceWhiteout(parentFd, path, entry);
      return;
    }
    if (result === -EEXIST) return; // a symlink to nothing or a file: the caller says so
    if (result === 0) result = defaultAttributes(parentFd, name);
    if (result < 0) throw refusedByKernel(this.layer, entry, "make its parent", -result);
    this.#implied.add(path.path);
  }

  /** A new directory in place of a whiteout of the same layer: what the layers below have there stays hidden. */
  replaceWhiteout(parentFd: number, path: LayerPath, entry: ByteString): void {
    const name = kernelName(path.name);
    let result = tryUnlinkAt(parentFd, name, 0);
    if (result === 0) result = tryMkdirAt(parentFd, name, 0o755);
    if (result === 0) result = defaultAttributes(parentFd, name);
    if (result < 0) throw refusedByKernel(this.layer, entry, "make directory", -result);
    this.makeOpaque(path.path, entry);
  }

  makeOpaque(path: ByteString, entry: ByteString): void {
    const fd = this.directory(path, entry);
    const result =
      this.whiteouts === "names"
        ? makeMarker(fd, opaqueName)
        : trySetXattrOfFd(fd, opaqueXattr[this.whiteouts], yes);
    if (result < 0) throw refusedByKernel(this.layer, entry, "make directory opaque", -result);
  }

  /**
   * Makes NAME of the layers below hidden. -EEXIST where that has to be said by the thing of this layer that has the
   * name. As a name of its own a whiteout can stand beside it: it is about the layers below.
   */
  makeWhiteout(parentFd: number, hidden: ByteString): number {
    return this.whiteouts === "names"
      ? makeMarker(parentFd, kernelName(whiteoutPrefix + hidden))
      : tryMknodAt(parentFd, kernelName(hidden), S_IFCHR, 0);
  }

  /** In overlay's form every character device 0/0 is one; in that of names nothing that has a name of its own. */
  isWhiteout(parentFd: number, name: KernelPath): boolean {
    if (this.whiteouts === "names") return false;
    const status = tryStatAt(parentFd, name);
    if (typeof status === "number" || (status.mode & typeMask) !== S_IFCHR) return false;
    return status.deviceMajor === 0 && status.deviceMinor === 0;
  }

  isDirectory(parentFd: number, name: KernelPath): boolean {
    const status = tryStatAt(parentFd, name);
    return typeof status !== "number" && (status.mode & typeMask) === directoryType;
  }

  /** Removes what is at `path`, a directory with all that is in it. */
  remove(path: LayerPath): void {
    const result = tryRemoveTree(this.parent(path), kernelName(path.name));
    if (result < 0) throw refusedByKernel(this.layer, path.path, "replace what is there", -result);
    // Textual paths may lead elsewhere now.
    this.#forgetParents();
  }

  close(): void {
    this.#forgetParents();
    tryClose(this.#rootFd);
  }

  #remember(path: ByteString, fd: number): void {
    this.#parents.set(path, fd);
    this.#last = { path, fd };
    if (this.#parents.size <= maxOpenParents) return;
    for (const [oldest, oldestFd] of this.#parents) {
      this.#parents.delete(oldest);
      tryClose(oldestFd);
      return;
    }
  }

  #forgetParents(): void {
    for (const fd of this.#parents.values()) tryClose(fd);
    this.#parents.clear();
    this.#last = undefined;
  }
}

/** An empty file; 0 also if it is there already. */
function makeMarker(directoryFd: number, name: KernelPath): number {
  const result = tryMknodAt(directoryFd, name, S_IFREG | 0o600, 0);
  return result === -EEXIST ? 0 : result;
}

/** Whatever the umask is, and whichever group the parent passes on. */
function defaultAttributes(parentFd: number, name: KernelPath): number {
  const result = tryChownAt(parentFd, name, 0, 0);
  return result < 0 ? result : tryChmodAt(parentFd, name, 0o755);
}

function count(bytes: Uint8Array, wanted: number): number {
  let found = 0;
  for (const byte of bytes) if (byte === wanted) found++;
  return found;
}
