import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { planErofsMetadata } from "../../../formats/erofs/erofs-metadata.ts";
import type { ErofsNode } from "../../../formats/erofs/erofs-node.ts";
import { blockBytes, formatSuperblock } from "../../../formats/erofs/erofs-superblock.ts";
import {
  check,
  type FileStatus,
  O_DIRECTORY,
  O_NOFOLLOW,
  tryClose,
  tryOpen,
  tryOpenAt,
  tryReadDirectory,
  tryReadLinkAt,
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
import { getXattr, listXattrs } from "../../../kernel/xattrs.ts";
import { fileError } from "../../content/file-error.ts";
import { must, placeIn, self, statIn } from "../vfs/tree-place.ts";

export interface ErofsImage {
  /** The tree; nobody writes to it. */
  readonly directory: string;
  /** A new file. */
  readonly image: string;
}

const pieceBytes = 1 << 20;

/**
 * Writes a tree as an EROFS image: uncompressed, every file at the start of a block, so that it can be mapped. The blocks
 * of files come first, as the tree is read; then the metadata. Synchronous: meant for a Worker. Errors: System.
 */
export function writeErofsImage({ directory, image }: ErofsImage): void {
  const source = check(tryOpen(directory, O_DIRECTORY), `open ${directory}`);
  let fd: number | undefined;
  try {
    fd = openSync(image, "wx", 0o600);
    const writer = new ImageWriter(fd);
    const root = writer.node(source, self, statIn(source, self));
    const { rootNid, inodes, bytes } = planErofsMetadata(root, writer.blocks);
    const metadataBlock = writer.blocks;
    writer.append(bytes);
    const superblock = formatSuperblock({ rootNid, inodes, metadataBlock, blocks: writer.blocks });
    writeAll(fd, superblock, 0);
  } catch (error) {
    throw fileError(error, `write ${image}`);
  } finally {
    tryClose(source);
    if (fd !== undefined) closeSync(fd);
  }
}

/** A disk that is nearly full takes a part of the bytes, and says why not all of them only when it gets the rest. */
function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}

class ImageWriter {
  /** So far; the first one is the superblock's. */
  blocks = 1;
  /** Files that have several names, by inode. */
  readonly #linked = new Map<string, ErofsNode>();
  readonly #piece = Buffer.alloc(pieceBytes);

  constructor(private readonly fd: number) {}

  append(bytes: Uint8Array): void {
    writeAll(this.fd, bytes, this.blocks * blockBytes);
    this.blocks += Math.ceil(bytes.length / blockBytes);
  }

  /** `directoryFd` is that of the directory in which the name is, or with "." itself. */
  node(directoryFd: number, name: Uint8Array, status: FileStatus): ErofsNode {
    const known = status.links > 1 ? this.#linked.get(status.inode) : undefined;
    if (known !== undefined) {
      known.links++;
      return known;
    }
    const type = status.mode & S_IFMT;
    const entries = type === S_IFDIR ? this.#entries(directoryFd, name) : [];
    const node: ErofsNode = {
      ...attributesOf(status),
      links:
        type === S_IFDIR ? 2 + entries.filter(({ node: { mode } }) => (mode & S_IFMT) === S_IFDIR).length : 1,
      sizeBytes: status.sizeBytes,
      xattrs: xattrsOf(placeIn(directoryFd, name)),
      content: type === S_IFLNK ? linkTarget(directoryFd, name) : undefined,
      firstBlock: type === S_IFREG ? this.#file(directoryFd, name, status.sizeBytes) : 0,
      entries,
    };
    if (type !== S_IFDIR && status.links > 1) this.#linked.set(status.inode, node);
    return node;
  }

  #entries(parentFd: number, name: Uint8Array): { name: Uint8Array; node: ErofsNode }[] {
    const fd = must(tryOpenAt(parentFd, bytePath(name), O_DIRECTORY | O_NOFOLLOW), "open", name);
    try {
      const names = tryReadDirectory(fd);
      if (typeof names === "number") throw check(names, "read directory");
      return names
        .sort(Buffer.compare)
        .map((child) => ({ child, status: statIn(fd, child) }))
        .filter(({ status }) => (status.mode & S_IFMT) !== S_IFSOCK)
        .map(({ child, status }) => ({ name: child, node: this.node(fd, child, status) }));
    } finally {
      tryClose(fd);
    }
  }

  /** Copies a file into blocks of its own; out: the first. */
  #file(directoryFd: number, name: Uint8Array, sizeBytes: number): number {
    const first = this.blocks;
    if (sizeBytes === 0) return first;
    const fd = must(tryOpenAt(directoryFd, bytePath(name), O_NOFOLLOW), "open", name);
    try {
      for (let at = 0; at < sizeBytes; ) {
        const length = readSync(fd, this.#piece, 0, Math.min(pieceBytes, sizeBytes - at), at);
        if (length === 0) break; // shorter than it was: the rest reads as zeros
        writeAll(this.fd, this.#piece.subarray(0, length), first * blockBytes + at);
        at += length;
      }
    } finally {
      tryClose(fd);
    }
    this.blocks += Math.ceil(sizeBytes / blockBytes);
    return first;
  }
}

function attributesOf(status: FileStatus) {
  const { mode, uid, gid, modifySeconds, modifyNanoseconds, deviceMajor, deviceMinor } = status;
  return {
    mode,
    uid,
    gid,
    mtimeSeconds: modifySeconds,
    mtimeNanoseconds: modifyNanoseconds,
    device: deviceNumber(deviceMajor, deviceMinor),
  };
}

/** Labels of security modules are the host's business. */
function xattrsOf(place: Uint8Array): [name: string, value: Uint8Array][] {
  return listXattrs(place)
    .filter((name) => name !== "security.selinux")
    .map((name) => [name, getXattr(place, name) ?? new Uint8Array()]);
}

function linkTarget(directoryFd: number, name: Uint8Array): Uint8Array {
  const target = tryReadLinkAt(directoryFd, bytePath(name));
  if (typeof target === "number") throw check(target, "read symlink");
  return target;
}
