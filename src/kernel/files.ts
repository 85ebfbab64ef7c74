import { call } from "./syscall.ts";

/**
 * A path of bytes that need not be UTF-8 ends with its NUL. Relative paths start at `directoryFd`; AT_FDCWD
 * of syscall.ts is the current directory.
 */
export type KernelPath = string | Uint8Array;

export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;

/** Type bits of a mode (inode(7)). */
export const S_IFMT = 0o170000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFBLK = 0o060000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFSOCK = 0o140000;

const nameOf = (path: KernelPath): string =>
  typeof path === "string" ? path : new TextDecoder().decode(path).replace(/\0$/, "");

/** The bytes of a name with their NUL, as the calls here take them. */
export function bytePath(name: Uint8Array): Uint8Array {
  const terminated = new Uint8Array(name.length + 1);
  terminated.set(name);
  return terminated;
}

/** dev_t as the kernel's calls take it (makedev(3)). */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** `mode` has type and permission bits; `device` is of deviceNumber(). The umask applies. */
export function mknodat(directoryFd: number, path: KernelPath, mode: number, device = 0): void {
  call("mknodat", `make node ${nameOf(path)}`, directoryFd, path, mode, device);
}

export function mkdirat(directoryFd: number, path: KernelPath, mode: number): void {
  call("mkdirat", `make directory ${nameOf(path)}`, directoryFd, path, mode);
}

export function symlinkat(target: KernelPath, directoryFd: number, path: KernelPath): void {
  call("symlinkat", `make symlink ${nameOf(path)}`, target, directoryFd, path);
}

/** Does not follow a symlink at `from` unless flags has AT_SYMLINK_FOLLOW. */
export function linkat(fromFd: number, from: KernelPath, toFd: number, to: KernelPath, flags = 0): void {
  call("linkat", `link ${nameOf(to)} to ${nameOf(from)}`, fromFd, from, toFd, to, flags);
}

/** Flags: AT_REMOVEDIR for an empty directory. */
export function unlinkat(directoryFd: number, path: KernelPath, flags = 0): void {
  call("unlinkat", `remove ${nameOf(path)}`, directoryFd, path, flags);
}

export function renameat(fromFd: number, from: KernelPath, toFd: number, to: KernelPath): void {
  call("renameat2", `rename ${nameOf(from)} to ${nameOf(to)}`, fromFd, from, toFd, to, 0);
}

/** Of the link itself; -1 leaves an id as it is. */
export function lchownat(directoryFd: number, path: KernelPath, uid: number, gid: number): void {
  call("fchownat", `change owner of ${nameOf(path)}`, directoryFd, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

/** Follows symlinks: Linux has no modes of links. */
export function fchmodat(directoryFd: number, path: KernelPath, mode: number): void {
  call("fchmodat", `change mode of ${nameOf(path)}`, directoryFd, path, mode);
}

/** Nanoseconds since 1970; may be negative. */
export interface FileTimes {
  readonly accessNs: bigint;
  readonly modifyNs: bigint;
}

/** Of the link itself, with the kernel's full precision. */
export function setTimesAt(directoryFd: number, path: KernelPath, times: FileTimes): void {
  const specs = new BigInt64Array([...timespec(times.accessNs), ...timespec(times.modifyNs)]);
  const bytes = new Uint8Array(specs.buffer);
  call("utimensat", `set times of ${nameOf(path)}`, directoryFd, path, bytes, AT_SYMLINK_NOFOLLOW);
}

/** Seconds are rounded down, since tv_nsec may not be negative. */
function timespec(ns: bigint): [seconds: bigint, nanoseconds: bigint] {
  const second = 1_000_000_000n;
  const rest = ((ns % second) + second) % second;
  return [(ns - rest) / second, rest];
}
