import { type ByteString, bytesOf, isAscii, quoted } from "./byte-string.ts";
import { formatPaxRecords, type PaxRecords } from "./pax-records.ts";
import { blockSize, paddingOf, type TarEntry, type TarEntryType, type TarTime } from "./tar-entry.ts";
import { tarError } from "./tar-error.ts";

const typeFlags: Readonly<Record<Exclude<TarEntryType, "socket">, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

/** Two zero blocks. */
export const endOfArchive = (): Buffer => Buffer.alloc(2 * blockSize);

export const contentPadding = (size: number): Buffer => Buffer.alloc(paddingOf(size));

/**
 * The header blocks of an entry: ustar, with a PAX extended header before it where ustar cannot hold a value.
 * The same entry gives the same bytes, always. After them come `size` bytes of content and `contentPadding`.
 *
 * Errors: InvalidParameter for a socket, which tar cannot hold, an empty name, or a NUL in a name.
 */
export function formatTarHeader(entry: TarEntry): Buffer {
  verifyNames(entry);
  const records: PaxRecords = new Map();
  const header = formatUstar(entry, typeFlag(entry), records);
  if (records.size === 0) return header;
  const body = bytesOf(formatPaxRecords(records));
  const extended = formatUstar(extendedHeaderEntry(body.length), "x", new Map());
  return Buffer.concat([extended, body, contentPadding(body.length), header]);
}

/** A whole archive; `content` of each entry yields exactly `entry.size` bytes. */
export async function* writeTar(
  entries: AsyncIterable<TarInput> | Iterable<TarInput>,
): AsyncGenerator<Uint8Array> {
  for await (const { entry, content } of entries) {
    yield formatTarHeader(entry);
    let written = 0;
    for await (const chunk of content ?? []) {
      written += chunk.byteLength;
      yield chunk;
    }
    if (written !== entry.size) {
      throw tarError(
        "size",
        `${quoted(entry.path)} has ${written} bytes of content instead of ${entry.size}`,
      );
    }
    if (paddingOf(entry.size) > 0) yield contentPadding(entry.size);
  }
  yield endOfArchive();
}

export interface TarInput {
  readonly entry: TarEntry;
  readonly content?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

function typeFlag(entry: TarEntry): string {
  if (entry.type === "socket")
    throw tarError("type", `${quoted(entry.path)}: a tar archive cannot hold a socket`);
  return typeFlags[entry.type];
}

function verifyNames(entry: TarEntry): void {
  if (entry.path === "") throw tarError("name", "entry without a name");
  const names = [entry.path, entry.linkPath, ...entry.xattrs.keys()];
  if (names.some((name) => name.includes("\0")))
    throw tarError("name", `NUL in a name of ${quoted(entry.path)}`);
  for (const name of entry.xattrs.keys()) {
    if (name === "" || name.includes("=")) {
      throw tarError(
        "pax",
        `extended attribute ${quoted(name)} of ${quoted(entry.path)} has a name that PAX cannot hold`,
      );
    }
  }
}

const noTime: TarTime = { seconds: 0, nanoseconds: 0 };

const extendedHeaderEntry = (size: number): TarEntry => ({
  type: "file",
  path: "PaxHeaders.0/entry",
  linkPath: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size,
  mtime: noTime,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
});

/** One header block; what does not fit is added to `records`. */
function formatUstar(entry: TarEntry, flag: string, records: PaxRecords): Buffer {
  const block = Buffer.alloc(blockSize);
  putPath(block, entry.path, records);
  putNumber(block, 100, 8, entry.mode, "mode", undefined);
  putNumber(block, 108, 8, entry.uid, "uid", records);
  putNumber(block, 116, 8, entry.gid, "gid", records);
  putNumber(block, 124, 12, entry.size, "size", records);
  putTimes(block, entry, records);
  block.write(flag, 156, "latin1");
  putLinkPath(block, entry.linkPath, records);
  block.write("ustar\x0000", 257, "latin1");
  putNumber(block, 329, 8, entry.deviceMajor, "device major", undefined);
  putNumber(block, 337, 8, entry.deviceMinor, "device minor", undefined);
  for (const [name, value] of entry.xattrs) records.set(`SCHILY.xattr.${name}`, value);
  putChecksum(block);
  return block;
}

function putPath(block: Buffer, path: ByteString, records: PaxRecords): void {
  const split = isAscii(path) ? splitPath(path) : undefined;
  if (split === undefined) records.set("path", path);
  // Readers that do not know PAX get a name at least.
  block.write(split?.name ?? path.slice(0, 100), 0, "latin1");
  if (split) block.write(split.prefix, 345, "latin1");
}

/** Splits at a slash so that both parts fit their fields; undefined if there is none such. */
function splitPath(path: ByteString): { prefix: ByteString; name: ByteString } | undefined {
  if (path.length <= 100) return { prefix: "", name: path };
  const slash = path.lastIndexOf("/", 155);
  const name = path.slice(slash + 1);
  return slash > 0 && name !== "" && name.length <= 100 ? { prefix: path.slice(0, slash), name } : undefined;
}

function putLinkPath(block: Buffer, linkPath: ByteString, records: PaxRecords): void {
  if (linkPath.length > 100 || !isAscii(linkPath)) records.set("linkpath", linkPath);
  block.write(linkPath.slice(0, 100), 157, "latin1");
}

function putTimes(block: Buffer, entry: TarEntry, records: PaxRecords): void {
  const { seconds, nanoseconds } = entry.mtime;
  if (nanoseconds !== 0) records.set("mtime", formatPaxTime(entry.mtime));
  putNumber(block, 136, 12, seconds, "mtime", nanoseconds === 0 ? records : new Map());
  if (entry.atime) records.set("atime", formatPaxTime(entry.atime));
}

/** Octal digits and a NUL; a value that does not fit goes to the records and leaves 0 here. */
function putNumber(
  block: Buffer,
  start: number,
  length: number,
  value: number,
  field: string,
  records: PaxRecords | undefined,
): void {
  const fits = value >= 0 && value < 8 ** (length - 1);
  if (!fits && records === undefined) throw tarError("number", `${field} ${value} does not fit a tar header`);
  if (!fits) records?.set(field, String(value));
  block.write((fits ? value : 0).toString(8).padStart(length - 1, "0"), start, "latin1");
}

function putChecksum(block: Buffer): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** Decimal seconds without trailing zeros. */
export function formatPaxTime(time: TarTime): string {
  const negative = time.seconds < 0;
  const carried = negative && time.nanoseconds > 0;
  const seconds = negative ? -time.seconds - (carried ? 1 : 0) : time.seconds;
  const nanoseconds = carried ? 1_000_000_000 - time.nanoseconds : time.nanoseconds;
  const fraction = String(nanoseconds).padStart(9, "0").replace(/0+$/, "");
  return `${negative ? "-" : ""}${seconds}${fraction === "" ? "" : `.${fraction}`}`;
}
