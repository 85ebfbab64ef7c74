import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { PlatformError } from "../../errors/platform-error.ts";
import { type ByteString, byteString } from "../../formats/tar/byte-string.ts";
import type { TarEntry, TarEntryType } from "../../formats/tar/tar-entry.ts";
import type { TarInput } from "../../formats/tar/tar-writer.ts";
import { bytePath } from "../../kernel/files.ts";
import { getXattr, listXattrs, type XattrFile } from "../../kernel/xattrs.ts";
import { type LayerEntry, unlessAbsent } from "./layered-directory.ts";
import { treeCalls } from "./tree-calls.ts";

/** First names of files that have several, by device and inode. */
export type Links = Map<string, ByteString>;

export type XattrFilter = (name: string) => boolean;

/**
 * One file as a member of a tar, without what is in a directory: its access and change times, and fractions of seconds,
 * which not every file system has, are left out. Nothing for a socket, and for what is gone by now.
 */
export async function* treeEntry(
  entry: LayerEntry,
  path: ByteString,
  links: Links,
  keepsXattr: XattrFilter,
): AsyncGenerator<TarInput> {
  const { status } = entry;
  const type = typeOf(status);
  if (type === undefined) return;
  const inode = `${status.dev}:${status.ino}`;
  const first = links.get(inode);
  if (first !== undefined) {
    yield { entry: { ...header(status, "hardlink", path), linkPath: first } };
    return;
  }
  if (status.nlink > 1n && type !== "directory") links.set(inode, path);
  if (type === "file") return yield* fileEntry(entry, path, keepsXattr);
  if (type === "symlink") {
    const target = await unlessAbsent(() => treeCalls.target(entry.path));
    const xattrs = xattrsOf(bytePath(entry.path), keepsXattr);
    if (target === undefined || xattrs === undefined) return;
    yield { entry: { ...header(status, type, path), linkPath: target.toString("latin1"), xattrs } };
    return;
  }
  const xattrs = xattrsOf(bytePath(entry.path), keepsXattr);
  if (xattrs === undefined) return;
  yield { entry: { ...header(status, type, type === "directory" ? `${path}/` : path), xattrs } };
}

async function* fileEntry(
  entry: LayerEntry,
  path: ByteString,
  keepsXattr: XattrFilter,
): AsyncGenerator<TarInput> {
  // A pipe that took the file's place must not make us wait for its writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = await unlessAbsent(() => treeCalls.open(entry.path, flags));
  if (fd === undefined) return;
  try {
    const status = await treeCalls.statusOf(fd);
    if (!status.isFile()) return;
    const size = Number(status.size);
    const head = header(status, "file", path);
    const xattrs = xattrsOf(fd, keepsXattr) ?? new Map();
    yield { entry: { ...head, size, xattrs }, content: contentOf(fd, size) };
  } finally {
    await treeCalls.close(fd);
  }
}

const pieceBytes = 256 << 10;

async function* contentOf(fd: number, size: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < size; ) {
    const wanted = Buffer.alloc(Math.min(pieceBytes, size - position));
    const bytesRead = await treeCalls.read(fd, wanted, position);
    const piece = bytesRead > 0 ? wanted.subarray(0, bytesRead) : wanted;
    position += piece.length;
    yield piece;
  }
}

/** Sorted by name; undefined for a file that is gone. */
function xattrsOf(file: XattrFile, keeps: XattrFilter): Map<ByteString, ByteString> | undefined {
  const xattrs = new Map<ByteString, ByteString>();
  try {
    for (const name of listXattrs(file).filter(keeps).sort()) {
      const value = getXattr(file, name);
      if (value) xattrs.set(byteString(name), Buffer.from(value).toString("latin1"));
    }
  } catch (error) {
    if (error instanceof PlatformError && noXattrs.has(error.code ?? "")) return xattrs;
    if (error instanceof PlatformError && error.code === "errno.ENOENT") return undefined;
    throw error;
  }
  return xattrs;
}

/** File systems that have none. */
const noXattrs = new Set(["errno.EOPNOTSUPP", "errno.ENOTSUP"]);

function typeOf(status: BigIntStats): Exclude<TarEntryType, "hardlink" | "socket"> | undefined {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "symlink";
  if (status.isCharacterDevice()) return "character-device";
  if (status.isBlockDevice()) return "block-device";
  if (status.isFIFO()) return "fifo";
  return undefined;
}

function header(status: BigIntStats, type: TarEntryType, path: ByteString): TarEntry {
  const seconds =
    status.mtimeNs >= 0n
      ? status.mtimeNs / 1_000_000_000n
      : -((999_999_999n - status.mtimeNs) / 1_000_000_000n);
  const isDevice = type === "character-device" || type === "block-device";
  return {
    type,
    path,
    linkPath: "",
    mode: Number(status.mode) & 0o7777,
    uid: Number(status.uid),
    gid: Number(status.gid),
    size: 0,
    mtime: { seconds: Number(seconds), nanoseconds: 0 },
    deviceMajor: isDevice ? major(status.rdev) : 0,
    deviceMinor: isDevice ? minor(status.rdev) : 0,
    xattrs: new Map(),
  };
}

/** The kernel's encoding of device numbers, as stat(2) has it. */
const major = (device: bigint): number => Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n));
const minor = (device: bigint): number => Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n));
