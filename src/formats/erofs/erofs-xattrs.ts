import { invalidParameter } from "../../errors/platform-error.ts";

/** erofs_fs.h, "Name indexes": a number instead of the beginning of a name. */
const prefixes: readonly (readonly [prefix: string, index: number])[] = [
  ["system.posix_acl_access", 2],
  ["system.posix_acl_default", 3],
  ["user.", 1],
  ["trusted.", 4],
  ["security.", 6],
];
const headerBytes = 12;
const entryBytes = 4;

/**
 * The attributes of one inode as they follow it: a header, then entries, each a multiple of 4 bytes. Empty without
 * attributes. Errors: InvalidParameter for what the format cannot hold.
 */
export function formatErofsXattrs(xattrs: readonly (readonly [name: string, value: Uint8Array])[]): Buffer {
  if (xattrs.length === 0) return Buffer.alloc(0);
  return Buffer.concat([Buffer.alloc(headerBytes), ...xattrs.map(formatEntry)]);
}

/** i_xattr_icount of a body of that length. */
export const xattrCount = (bodyBytes: number): number =>
  bodyBytes === 0 ? 0 : (bodyBytes - headerBytes) / 4 + 1;

function formatEntry([name, value]: readonly [name: string, value: Uint8Array]): Buffer {
  const [prefix, index] = prefixes.find(([known]) => name.startsWith(known)) ?? [];
  if (prefix === undefined || index === undefined || value.length > 0xffff) {
    throw invalidParameter(`attribute ${JSON.stringify(name)} cannot be kept in an EROFS image`);
  }
  const rest = Buffer.from(name.slice(prefix.length));
  const entry = Buffer.alloc(Math.ceil((entryBytes + rest.length + value.length) / 4) * 4);
  entry.writeUInt8(rest.length, 0);
  entry.writeUInt8(index, 1);
  entry.writeUInt16LE(value.length, 2);
  rest.copy(entry, entryBytes);
  entry.set(value, entryBytes + rest.length);
  return entry;
}
