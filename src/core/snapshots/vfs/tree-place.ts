import {
  type FileStatus,
  TimesBuffer,
  tryChmodAt,
  tryChownAt,
  trySetTimes,
  tryStatAt,
} from "../../../kernel/file-calls.ts";
import { bytePath, S_IFLNK, S_IFMT } from "../../../kernel/files.ts";
import { AT_FDCWD, errnoError } from "../../../kernel/syscall.ts";
import { getXattr, listXattrs, setXattr } from "../../../kernel/xattrs.ts";
import { isKeptXattr } from "../../unpack/xattr-writer.ts";

/** A name in an open directory, as calls take it that know no descriptors; "." is the directory itself. */
export function placeIn(directoryFd: number, name: Uint8Array): Uint8Array {
  return bytePath(Buffer.concat([Buffer.from(`/proc/self/fd/${directoryFd}/`), name]));
}

export const self = Buffer.from(".");

/** Of the link itself. Errors: System. */
export function statIn(directoryFd: number, name: Uint8Array): FileStatus {
  const status = tryStatAt(directoryFd, bytePath(name));
  if (typeof status === "number") throw refusal(status, "read", name);
  return status;
}

/** Errors: System for a call that failed, naming the file. */
export function must(result: number, action: string, name: Uint8Array): number {
  if (result < 0) throw refusal(result, action, name);
  return result;
}

const refusal = (result: number, action: string, name: Uint8Array) =>
  errnoError(-result, `${action} ${JSON.stringify(Buffer.from(name).toString())}`);

/**
 * Gives the thing at `to` owner, mode, extended attributes and times of the one at `from` (both of `placeIn`). In this
 * order: a change of owner takes set-id bits and capabilities away, and everything changes the times.
 */
export function copyAttributes(status: FileStatus, from: Uint8Array, to: Uint8Array): void {
  const isLink = (status.mode & S_IFMT) === S_IFLNK;
  must(tryChownAt(AT_FDCWD, to, status.uid, status.gid), "change owner of", to);
  if (!isLink) must(tryChmodAt(AT_FDCWD, to, status.mode & 0o7777), "change mode of", to);
  for (const name of keptXattrs(from)) {
    const value = getXattr(from, name);
    if (value) setXattr(to, name, value);
  }
  copyTimes(status, to);
}

/** Not the labels of security modules: the new file has got its own. */
export const keptXattrs = (place: Uint8Array): string[] => listXattrs(place).filter(isKeptXattr);

export function copyTimes(status: FileStatus, to: Uint8Array): void {
  const times = new TimesBuffer();
  times.set("access", status.accessSeconds, status.accessNanoseconds);
  times.set("modify", status.modifySeconds, status.modifyNanoseconds);
  must(trySetTimes(AT_FDCWD, to, times), "set times of", to);
}
