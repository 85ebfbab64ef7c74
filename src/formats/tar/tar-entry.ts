import type { ByteString } from "./byte-string.ts";

export type TarEntryType =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "character-device"
  | "block-device"
  | "fifo"
  /** Not a type of tar: a regular entry whose mode says S_IFSOCK, as some writers leave it. */
  | "socket";

/** Seconds and nanoseconds since 1970; `nanoseconds` is 0-999999999 also for times before. */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** One member of an archive, with extended headers already applied. */
export interface TarEntry {
  readonly type: TarEntryType;
  /** As written in the archive: may be absolute, hold `..`, or end in a slash. Never empty, no NUL. */
  readonly path: ByteString;
  /** Target of a symlink or hard link, else "". */
  readonly linkPath: ByteString;
  /** Permission bits with setuid, setgid and sticky, 0-07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; 0 for everything but a file. */
  readonly size: number;
  readonly mtime: TarTime;
  /** Absent unless the archive has it (PAX only). */
  readonly atime?: TarTime | undefined;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** From SCHILY.xattr.* and LIBARCHIVE.xattr.*; full names, values as byte strings. */
  readonly xattrs: ReadonlyMap<ByteString, ByteString>;
}

export const blockSize = 512;

/** Bytes of zero after `size` bytes of content. */
export const paddingOf = (size: number): number => (blockSize - (size % blockSize)) % blockSize;
