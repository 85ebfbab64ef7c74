import { type ByteString, quoted } from "./byte-string.ts";
import type { TarHeader } from "./parse-header.ts";
import { parseDecimal, parsePaxTime } from "./parse-number.ts";
import type { PaxRecords } from "./pax-records.ts";
import { sparseName } from "./sparse.ts";
import type { TarEntry, TarEntryType, TarTime } from "./tar-entry.ts";
import { tarError } from "./tar-error.ts";

const entryTypes: Readonly<Record<string, TarEntryType>> = {
  "\0": "file",
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  S: "file", // GNU's sparse one
};

const refusedTypes: Readonly<Record<string, string>> = {
  D: "GNU incremental directory",
  M: "continuation of a multi-volume archive",
  N: "old GNU long name list",
};

const noXattrs: ReadonlyMap<ByteString, ByteString> = new Map();

/** What came before a header and belongs to its entry. */
export interface EntryExtras {
  /** GNU long name and long link. */
  readonly path: ByteString | undefined;
  readonly linkPath: ByteString | undefined;
  readonly records: PaxRecords | undefined;
}

/** Global records with those of one entry, which win; undefined if there are none. */
export function mergeRecords(global: PaxRecords, own: PaxRecords | undefined): PaxRecords | undefined {
  if (own === undefined) return global.size > 0 ? global : undefined;
  return global.size > 0 ? new Map([...global, ...own]) : own;
}

/**
 * Header, GNU long names and PAX records as one entry; PAX wins over GNU, GNU over the header.
 * Errors: InvalidParameter for types that are no files, and malformed records.
 */
export function resolveEntry(header: TarHeader, extras: EntryExtras): TarEntry {
  const { records } = extras;
  const record = (keyword: string): string | undefined => records?.get(keyword) || undefined;
  const path = (records && sparseName(records)) ?? record("path") ?? extras.path ?? header.path;
  if (path === "") throw tarError("name", "entry without a name");
  const number = (keyword: string, otherwise: number): number => {
    const text = record(keyword);
    return text === undefined ? otherwise : parseDecimal(text, `${keyword} of ${quoted(path)}`);
  };
  const time = (keyword: string): TarTime | undefined => {
    const text = record(keyword);
    return text === undefined ? undefined : parsePaxTime(text, `${keyword} of ${quoted(path)}`);
  };
  const type = entryType(header, path);
  const size = number("size", header.size);
  if (size < 0) throw tarError("number", `negative size of ${quoted(path)}`);
  return {
    type,
    path,
    linkPath: isLink(type) ? (record("linkpath") ?? extras.linkPath ?? header.linkPath) : "",
    mode: header.mode & 0o7777,
    uid: number("uid", header.uid),
    gid: number("gid", header.gid),
    // Other types have no content, whatever their size field says (POSIX pax, "size").
    size: type === "file" ? size : 0,
    mtime: time("mtime") ?? { seconds: header.mtimeSeconds, nanoseconds: 0 },
    atime: time("atime"),
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    xattrs: records ? xattrsOf(records) : noXattrs,
  };
}

const isLink = (type: TarEntryType): boolean => type === "symlink" || type === "hardlink";

const socketMode = 0o140000;
const modeTypeMask = 0o170000;

function entryType(header: TarHeader, path: ByteString): TarEntryType {
  const type = entryTypes[header.typeFlag];
  if (type === undefined) {
    const what = refusedTypes[header.typeFlag] ?? `unknown type ${JSON.stringify(header.typeFlag)}`;
    throw tarError("type", `${quoted(path)}: ${what} is not supported`);
  }
  if (type !== "file") return type;
  // Archives older than ustar have no type for directories.
  if (path.endsWith("/")) return "directory";
  return (header.mode & modeTypeMask) === socketMode ? "socket" : "file";
}

const xattrPrefix = "SCHILY.xattr.";
const libarchivePrefix = "LIBARCHIVE.xattr.";

function xattrsOf(records: PaxRecords): ReadonlyMap<ByteString, ByteString> {
  const xattrs = new Map<ByteString, ByteString>();
  for (const [keyword, value] of records) {
    if (keyword.startsWith(libarchivePrefix)) addLibarchiveXattr(xattrs, keyword, value);
  }
  // Where an archive has both forms, SCHILY's holds the bytes as they are.
  for (const [keyword, value] of records) {
    if (keyword.startsWith(xattrPrefix)) xattrs.set(keyword.slice(xattrPrefix.length), value);
  }
  return xattrs.size > 0 ? xattrs : noXattrs;
}

/** libarchive writes the name percent-encoded and the value in base64. */
function addLibarchiveXattr(xattrs: Map<ByteString, ByteString>, keyword: string, value: string): void {
  const name = keyword
    .slice(libarchivePrefix.length)
    .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (name.includes("\0")) throw tarError("pax", "NUL in the name of an extended attribute");
  xattrs.set(name, Buffer.from(value, "base64").toString("latin1"));
}
