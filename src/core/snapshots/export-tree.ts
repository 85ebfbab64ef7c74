import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import type { ByteString } from "../../formats/tar/byte-string.ts";
import type { TarEntry, TarEntryType } from "../../formats/tar/tar-entry.ts";
import type { TarInput } from "../../formats/tar/tar-writer.ts";
import { getXattr } from "../../kernel/xattrs.ts";
import type { MountedRoot } from "./contract.ts";
import { absent, LayeredDirectory, type LayeredEntry } from "./layered-directory.ts";

/**
 * The files of a container's root as members of a tar, directories before what is in them, sorted. Nothing has to
 * be mounted. Sockets are left out: tar has none. A running container may change files meanwhile: one that
 * shrinks is filled with zeros, one that goes away before its turn is left out.
 */
export async function* exportTree(
  { upper, lower }: MountedRoot,
  signal: AbortSignal,
): AsyncGenerator<TarInput> {
  yield* exportDirectory([upper, ...lower], "", new Map(), signal);
}

/** First names of files that have several, by device and inode. */
type Links = Map<string, ByteString>;

async function* exportDirectory(
  parts: readonly (string | Buffer)[],
  prefix: ByteString,
  links: Links,
  signal: AbortSignal,
): AsyncGenerator<TarInput> {
  await using directory = await LayeredDirectory.open(parts);
  for (const name of await directory.names()) {
    signal.throwIfAborted();
    const entry = await directory.find(name);
    if (entry === undefined) continue;
    const path = prefix + name;
    yield* exportEntry(entry, path, links);
    if (entry.status.isDirectory()) {
      const below = entry.parts.map((part) => part.path);
      yield* exportDirectory(below, `${path}/`, links, signal);
    }
  }
}

async function* exportEntry(entry: LayeredEntry, path: ByteString, links: Links): AsyncGenerator<TarInput> {
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
  if (type === "file") return yield* exportFile(entry, path);
  if (type === "symlink") {
    const target = await readlink(entry.path, { encoding: "buffer" }).catch(absent);
    if (target === undefined) return;
    yield { entry: { ...header(status, type, path), linkPath: target.toString("latin1") } };
    return;
  }
  yield { entry: header(status, type, type === "directory" ? `${path}/` : path) };
}

async function* exportFile(entry: LayeredEntry, path: ByteString): AsyncGenerator<TarInput> {
  // A pipe that took the file's place must not make us wait for its writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(entry.path, flags).catch(absent);
  if (file === undefined) return;
  try {
    const status = await file.stat({ bigint: true });
    if (!status.isFile()) return;
    const size = Number(status.size);
    const head = header(status, "file", path);
    yield { entry: { ...head, size, xattrs: capabilitiesOf(file.fd) }, content: contentOf(file, size) };
  } finally {
    await file.close();
  }
}

const pieceBytes = 256 << 10;

async function* contentOf(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < size; ) {
    const wanted = Buffer.alloc(Math.min(pieceBytes, size - position));
    const { bytesRead } = await file.read(wanted, 0, wanted.length, position);
    const piece = bytesRead > 0 ? wanted.subarray(0, bytesRead) : wanted;
    position += piece.length;
    yield piece;
  }
}

const capability = "security.capability";

/** The one extended attribute that programs need to run as they did. */
function capabilitiesOf(fd: number): Map<ByteString, ByteString> {
  const value = getXattr(fd, capability);
  return new Map(value ? [[capability, Buffer.from(value).toString("latin1")]] : []);
}

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
