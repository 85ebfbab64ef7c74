/**
 * The part of node:fs that the OCI runtime's commands use, on plain system calls: what stands in its place in the
 * snapshot (scripts/make-snapshot.ts). Arguments, results and errors are Node's.
 */
import { errnoName, errnoText } from "../../kernel/errno.ts";
import { AT_FDCWD, nr, type SyscallName } from "../../kernel/syscall.ts";
import { host } from "../host.ts";
import { Buffer } from "./buffer.ts";
import { type DirectoryEntry, parseDirectoryEntries } from "./directory-entries.ts";
import { Stats } from "./stats.ts";

type SyscallArgument = number | string | Uint8Array | null;

const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const LINK_BYTES = 4096;
const EINTR = 4;

/** For what is read and taken over at once: the interpreter takes longer to make such a buffer than the kernel to fill it. */
const scratch = Buffer.alloc(32768);

/** open(2)'s flags that differ between x86_64 and aarch64. */
const direct = process.arch === "arm64" ? 0o200000 : 0o40000;
const directory = process.arch === "arm64" ? 0o40000 : 0o200000;
const noFollow = process.arch === "arm64" ? 0o100000 : 0o400000;

export const constants = {
  F_OK: 0,
  X_OK: 1,
  W_OK: 2,
  R_OK: 4,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DIRECT: direct,
  O_DIRECTORY: directory,
  O_NOFOLLOW: noFollow,
} as const;

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants;

const openFlags: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  "r+": O_RDWR,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_TRUNC | O_EXCL,
  "w+": O_RDWR | O_CREAT | O_TRUNC,
  a: O_WRONLY | O_CREAT | O_APPEND,
  ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
};

/** Where Node's words are not those of the C library. */
const ownTexts: Readonly<Record<string, string>> = {
  EBUSY: "resource busy or locked",
  EEXIST: "file already exists",
  EIO: "i/o error",
  EISDIR: "illegal operation on a directory",
  ELOOP: "too many symbolic links encountered",
  ENAMETOOLONG: "name too long",
  ENFILE: "file table overflow",
  ENOMEM: "not enough memory",
  ETXTBSY: "text file is busy",
  EXDEV: "cross-device link not permitted",
};

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

/** What Node throws: `code` ENOENT, `errno` -2, `syscall` open, `path`. */
function fileError(errno: number, syscall: string, path?: string): Error {
  const code = errnoName(errno);
  const where = path === undefined ? "" : ` '${path}'`;
  const error = new Error(`${code}: ${ownTexts[code] ?? errnoText(errno)}, ${syscall}${where}`);
  return Object.assign(error, { code, errno: -errno, syscall, ...(path !== undefined && { path }) });
}

function call(name: SyscallName, as: string, path: string | undefined, ...args: SyscallArgument[]): number {
  for (;;) {
    const result = host().syscall(nr[name], ...args);
    if (result >= 0) return result;
    if (result !== -EINTR) throw fileError(-result, as, path);
  }
}

export function openSync(path: string, flags: string | number = "r", mode = 0o666): number {
  const bits = typeof flags === "number" ? flags : openFlags[flags];
  if (bits === undefined) throw new TypeError(`openSync: unknown flags ${flags}`);
  return call("openat", "open", path, AT_FDCWD, path, bits | O_CLOEXEC, mode);
}

export function closeSync(fd: number): void {
  const result = host().syscall(nr.close, fd);
  if (result < 0 && result !== -EINTR) throw fileError(-result, "close");
}

export function readSync(
  fd: number,
  buffer: Uint8Array,
  offset = 0,
  length = buffer.length - offset,
  position: number | null = null,
): number {
  const part = buffer.subarray(offset, offset + length);
  return position === null
    ? call("read", "read", undefined, fd, part, part.length)
    : call("pread64", "read", undefined, fd, part, part.length, position);
}

export function writeSync(
  fd: number,
  data: string | Uint8Array,
  offset = 0,
  length?: number,
  position?: number,
): number {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const part = bytes.subarray(offset, length === undefined ? undefined : offset + length);
  return position === undefined
    ? call("write", "write", undefined, fd, part, part.length)
    : call("pwrite64", "write", undefined, fd, part, part.length, position);
}

export function readFileSync(file: string | number): Buffer;
export function readFileSync(file: string | number, encoding: BufferEncoding): string;
export function readFileSync(file: string | number, encoding?: BufferEncoding): Buffer | string {
  const fd = typeof file === "number" ? file : openSync(file);
  try {
    const bytes = readToEnd(fd);
    return encoding === undefined ? bytes : bytes.toString(encoding);
  } finally {
    if (fd !== file) closeSync(fd);
  }
}

/** Files of /proc have no size, and may give less than they are asked for: reading goes on until there is nothing. */
function readToEnd(fd: number): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const length = readSync(fd, scratch);
    if (length === 0) return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    parts.push(Buffer.from(scratch.subarray(0, length)));
  }
}

export function writeFileSync(
  path: string,
  data: string | Uint8Array,
  { mode = 0o666, flag = "w" }: { mode?: number; flag?: string } = {},
): void {
  const fd = openSync(path, flag, mode);
  try {
    let rest: Uint8Array = typeof data === "string" ? Buffer.from(data) : data;
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
  } finally {
    closeSync(fd);
  }
}

function stat(as: string, path: string | undefined, dirFd: number, name: string, flags: number): Stats {
  const result = new Uint8Array(256);
  call("statx", as, path, dirFd, name, flags, STATX_BASIC_STATS, result);
  return new Stats(new DataView(result.buffer));
}

export const fstatSync = (fd: number): Stats => stat("fstat", undefined, fd, "", AT_EMPTY_PATH);

export const lstatSync = (path: string): Stats => stat("lstat", path, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);

export function statSync(path: string): Stats;
export function statSync(path: string, options: { throwIfNoEntry: false }): Stats | undefined;
export function statSync(path: string, options?: { throwIfNoEntry: false }): Stats | undefined {
  try {
    return stat("stat", path, AT_FDCWD, path, 0);
  } catch (error) {
    if (options?.throwIfNoEntry === false && isMissing(error)) return undefined;
    throw error;
  }
}

export function accessSync(path: string, mode: number = constants.F_OK): void {
  call("faccessat", "access", path, AT_FDCWD, path, mode);
}

export const existsSync = (path: string): boolean =>
  host().syscall(nr.faccessat, AT_FDCWD, path, constants.F_OK) === 0;

export function mkdirSync(path: string, options: { recursive?: boolean; mode?: number } | number = {}): void {
  const { recursive = false, mode = 0o777 } = typeof options === "number" ? { mode: options } : options;
  if (recursive) makeParents(path, mode);
  const result = host().syscall(nr.mkdirat, AT_FDCWD, path, mode);
  if (result === 0 || (recursive && errnoName(-result) === "EEXIST" && statSync(path).isDirectory())) return;
  throw fileError(-result, "mkdir", path);
}

function makeParents(path: string, mode: number): void {
  const end = path.replace(/\/+$/, "").lastIndexOf("/");
  const parent = end > 0 ? path.slice(0, end) : undefined;
  if (parent !== undefined && !existsSync(parent)) mkdirSync(parent, { recursive: true, mode });
}

export function rmdirSync(path: string): void {
  call("unlinkat", "rmdir", path, AT_FDCWD, path, AT_REMOVEDIR);
}

export function unlinkSync(path: string): void {
  call("unlinkat", "unlink", path, AT_FDCWD, path, 0);
}

export function rmSync(path: string, { recursive = false, force = false } = {}): void {
  try {
    if (recursive && lstatSync(path).isDirectory()) {
      for (const name of readdirSync(path)) rmSync(`${path}/${name}`, { recursive, force });
      rmdirSync(path);
    } else unlinkSync(path);
  } catch (error) {
    if (!force || !isMissing(error)) throw error;
  }
}

export function renameSync(from: string, to: string): void {
  call("renameat2", "rename", from, AT_FDCWD, from, AT_FDCWD, to, 0);
}

export function chmodSync(path: string, mode: number): void {
  call("fchmodat", "chmod", path, AT_FDCWD, path, mode);
}

export function readlinkSync(path: string): string {
  const target = Buffer.allocUnsafe(LINK_BYTES);
  return target.toString("utf8", 0, call("readlinkat", "readlink", path, AT_FDCWD, path, target, LINK_BYTES));
}

export function realpathSync(path: string): string {
  const fd = openSync(path, O_PATH);
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

export function readdirSync(path: string): string[];
export function readdirSync(path: string, options: { withFileTypes: true }): DirectoryEntry[];
export function readdirSync(path: string, options?: { withFileTypes: true }): string[] | DirectoryEntry[] {
  const entries = readEntries(path);
  return options?.withFileTypes ? entries : entries.map(({ name }) => name);
}

function readEntries(path: string): DirectoryEntry[] {
  const fd = call("openat", "scandir", path, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | constants.O_DIRECTORY, 0);
  const entries: DirectoryEntry[] = [];
  try {
    for (;;) {
      const length = call("getdents64", "scandir", path, fd, scratch, scratch.length);
      if (length === 0) return entries;
      entries.push(...parseDirectoryEntries(scratch.subarray(0, length)));
    }
  } finally {
    closeSync(fd);
  }
}
