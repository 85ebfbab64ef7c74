import { addon } from "./addon.ts";
import { errnoNumber } from "./errno.ts";
import { AT_SYMLINK_NOFOLLOW, type KernelPath } from "./files.ts";
import { AT_EMPTY_PATH } from "./mounts.ts";
import { AT_FDCWD, nr } from "./syscall.ts";

/**
 * System calls on files for loops that make or read whole trees. They return the kernel's result or -errno:
 * there a refusal (EEXIST, ENOENT) is part of the work, and building an error for each would cost more
 * than the call. `files.ts` has the forms that throw.
 */

export const O_WRONLY = 0o1;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
/** These two differ between the architectures (fcntl.h). */
export const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000;
export const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000;
const O_CLOEXEC = 0o2000000;
/** lseek(2). */
const SEEK_CUR = 1;

const number = (name: string): number => errnoNumber(name) ?? 0;
export const EPERM = number("EPERM");
export const ENOENT = number("ENOENT");
export const EEXIST = number("EEXIST");
export const ENOTDIR = number("ENOTDIR");
export const EISDIR = number("EISDIR");
export const ENOTEMPTY = number("ENOTEMPTY");
export const ELOOP = number("ELOOP");
export const ENOSPC = number("ENOSPC");
export const EDQUOT = number("EDQUOT");
export const ENOTSUP = number("EOPNOTSUPP");
const EIO = number("EIO");

/** Turns a result of these calls into an error where a refusal is the end. */
export { check } from "./syscall.ts";

/** By a path of the host. The descriptor (close-on-exec) or -errno. */
export function tryOpen(path: string, flags: number): number {
  return tryOpenAt(AT_FDCWD, path, flags);
}

/** The descriptor (close-on-exec) or -errno. */
export function tryOpenAt(directoryFd: number, path: KernelPath, flags: number, mode = 0): number {
  return addon.syscall(nr.openat, directoryFd, path, flags | O_CLOEXEC, mode);
}

/** Writes the whole file system of an open file back to its disk (syncfs(2)). */
export function trySyncFileSystem(fd: number): number {
  return addon.syscall(nr.syncfs, fd);
}

/** Writes all bytes; 0 or -errno. */
export function tryWrite(fd: number, bytes: Uint8Array): number {
  let rest = bytes;
  while (rest.length > 0) {
    const written = addon.syscall(nr.write, fd, rest, rest.length);
    if (written <= 0) return written === 0 ? -EIO : written;
    rest = rest.subarray(written);
  }
  return 0;
}

/** Leaves `sizeBytes` of zeros where the next write would be, which take no space; 0 or -errno. */
export function tryMakeHole(fd: number, sizeBytes: number): number {
  const end = addon.syscall(nr.lseek, fd, sizeBytes, SEEK_CUR);
  return end < 0 ? end : addon.syscall(nr.ftruncate, fd, end);
}

export function tryClose(fd: number): number {
  return addon.syscall(nr.close, fd);
}

export function tryMkdirAt(directoryFd: number, path: KernelPath, mode: number): number {
  return addon.syscall(nr.mkdirat, directoryFd, path, mode);
}

/** `mode` with type bits; `device` of deviceNumber(). */
export function tryMknodAt(directoryFd: number, path: KernelPath, mode: number, device: number): number {
  return addon.syscall(nr.mknodat, directoryFd, path, mode, device);
}

export function trySymlinkAt(target: KernelPath, directoryFd: number, path: KernelPath): number {
  return addon.syscall(nr.symlinkat, target, directoryFd, path);
}

/** Does not follow a symlink at `from`: the new name is another one of the link itself. */
export function tryLinkAt(fromFd: number, from: KernelPath, toFd: number, to: KernelPath): number {
  return addon.syscall(nr.linkat, fromFd, from, toFd, to, 0);
}

export function tryUnlinkAt(directoryFd: number, path: KernelPath, flags: number): number {
  return addon.syscall(nr.unlinkat, directoryFd, path, flags);
}

/** Of the link itself; an empty path is the open file `directoryFd`. */
export function tryChownAt(directoryFd: number, path: KernelPath, uid: number, gid: number): number {
  return addon.syscall(nr.fchownat, directoryFd, path, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
}

export function tryChmod(fd: number, mode: number): number {
  return addon.syscall(nr.fchmod, fd, mode);
}

/** Follows symlinks: only for a name that is known to be none. */
export function tryChmodAt(directoryFd: number, path: KernelPath, mode: number): number {
  return addon.syscall(nr.fchmodat, directoryFd, path, mode);
}

/** struct timespec[2] of utimensat(2): access, modification. Both processor kinds are little endian. */
export class TimesBuffer {
  readonly bytes = new Uint8Array(32);
  readonly #words = new Uint32Array(this.bytes.buffer);

  /** Nanoseconds 0-999999999; seconds may be negative. */
  set(which: "access" | "modify", seconds: number, nanoseconds: number): void {
    const at = which === "access" ? 0 : 4;
    this.#words[at] = seconds;
    this.#words[at + 1] = Math.floor(seconds / 2 ** 32);
    this.#words[at + 2] = nanoseconds;
    this.#words[at + 3] = 0;
  }
}

/** Of the link itself; without a path, of the open file `directoryFd` (not O_PATH). */
export function trySetTimes(directoryFd: number, path: KernelPath | null, times: TimesBuffer): number {
  const flags = path === null ? 0 : AT_SYMLINK_NOFOLLOW;
  return addon.syscall(nr.utimensat, directoryFd, path, times.bytes, flags);
}

/** Of an open file or directory; O_PATH will do. `name` as in xattr(7). */
export function trySetXattrOfFd(fd: number, name: KernelPath, value: Uint8Array): number {
  return addon.syscall(nr.setxattr, `/proc/self/fd/${fd}`, name, orNull(value), value.length, 0);
}

/** Of a symlink or special file, which cannot be opened. `path` is absolute or relative to the current directory. */
export function trySetXattrOfLink(path: KernelPath, name: KernelPath, value: Uint8Array): number {
  return addon.syscall(nr.lsetxattr, path, name, orNull(value), value.length, 0);
}

const orNull = (value: Uint8Array): Uint8Array | null => (value.length === 0 ? null : value);

/** The host path of an open file or directory (bytes), -errno if it is longer than the kernel tells. */
export function tryPathOfFd(fd: number): Uint8Array | number {
  const buffer = new Uint8Array(4096);
  const length = addon.syscall(nr.readlinkat, AT_FDCWD, `/proc/self/fd/${fd}`, buffer, buffer.length);
  return length < 0 ? length : buffer.subarray(0, length);
}

/** The target of a symlink (bytes), or -errno. */
export function tryReadLinkAt(directoryFd: number, path: KernelPath): Uint8Array | number {
  const buffer = new Uint8Array(4096);
  const length = addon.syscall(nr.readlinkat, directoryFd, path, buffer, buffer.length);
  return length < 0 ? length : buffer.subarray(0, length);
}

export function tryRenameAt(fromFd: number, from: KernelPath, toFd: number, to: KernelPath): number {
  return addon.syscall(nr.renameat2, fromFd, from, toFd, to, 0);
}

const STATX_BASIC_STATS = 0x7ff;

/** What statx(2) tells of one name. */
export interface FileStatus {
  /** With type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Names of the file. */
  readonly links: number;
  /** Decimal. */
  readonly inode: string;
  readonly sizeBytes: number;
  readonly accessSeconds: number;
  readonly accessNanoseconds: number;
  readonly modifySeconds: number;
  readonly modifyNanoseconds: number;
}

/** Of the link itself; -errno on failure. */
export function tryStatAt(directoryFd: number, path: KernelPath): FileStatus | number {
  const buffer = new Uint8Array(256);
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  const result = addon.syscall(nr.statx, directoryFd, path, flags, STATX_BASIC_STATS, buffer);
  if (result < 0) return result;
  const view = new DataView(buffer.buffer);
  return {
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    mode: view.getUint16(28, true),
    links: view.getUint32(16, true),
    inode: String(view.getBigUint64(32, true)),
    sizeBytes: Number(view.getBigUint64(40, true)),
    accessSeconds: Number(view.getBigInt64(64, true)),
    accessNanoseconds: view.getUint32(72, true),
    modifySeconds: Number(view.getBigInt64(112, true)),
    modifyNanoseconds: view.getUint32(120, true),
    deviceMajor: view.getUint32(128, true),
    deviceMinor: view.getUint32(132, true),
  };
}

/** Names (bytes) in the open directory `fd`, without `.` and `..`, from its current position on; or -errno. */
export function tryReadDirectory(fd: number): Uint8Array[] | number {
  const names: Uint8Array[] = [];
  const buffer = new Uint8Array(65536);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const length = addon.syscall(nr.getdents64, fd, buffer, buffer.length);
    if (length < 0) return length;
    if (length === 0) return names;
    for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
      const end = buffer.indexOf(0, at + 19);
      const isDot =
        buffer[at + 19] === 0x2e && (end === at + 20 || (end === at + 21 && buffer[at + 20] === 0x2e));
      if (!isDot) names.push(buffer.slice(at + 19, end));
    }
  }
}
