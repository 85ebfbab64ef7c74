import { addon } from "./addon.ts";
import { errnoNumber } from "./errno.ts";
import { check, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, tryClose, tryOpenAt, tryWrite } from "./file-calls.ts";
import type { KernelPath } from "./files.ts";
import { nr } from "./syscall.ts";

/** linux/fs.h: _IOW(0x94, 9, int). */
const FICLONE = 0x40049409;
/** lseek(2). */
const SEEK_SET = 0;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = errnoNumber("ENXIO") ?? 6;

/** What a file system says that does not know a way of copying; the next one may do. */
const unknownWays = new Set(
  ["EOPNOTSUPP", "ENOTTY", "EXDEV", "EINVAL", "ENOSYS", "EPERM", "ETXTBSY"].map(
    (name) => -(errnoNumber(name) ?? 0),
  ),
);

const pieceBytes = 1 << 20;

/**
 * Copies the content of a regular file from one open directory to the same name in another, where it must not exist: by
 * sharing its blocks (btrfs, xfs) where that works, else inside the kernel, without filling holes. The new file has
 * mode 0600. Synchronous. Errors: System.
 */
export function copyFile(fromFd: number, toFd: number, name: KernelPath, sizeBytes: number): void {
  const what = `copy ${typeof name === "string" ? name : Buffer.from(name).toString().replace(/\0$/, "")}`;
  const source = check(tryOpenAt(fromFd, name, O_NOFOLLOW), what);
  try {
    const target = check(tryOpenAt(toFd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), what);
    try {
      copyContent(source, target, sizeBytes, what);
    } finally {
      tryClose(target);
    }
  } finally {
    tryClose(source);
  }
}

function copyContent(source: number, target: number, sizeBytes: number, what: string): void {
  if (sizeBytes === 0) return;
  const cloned = addon.syscall(nr.ioctl, target, FICLONE, source);
  if (cloned === 0) return;
  if (!unknownWays.has(cloned)) check(cloned, what);
  for (let at = 0; at < sizeBytes; ) {
    const start = addon.syscall(nr.lseek, source, at, SEEK_DATA);
    if (start === -ENXIO) break; // nothing but a hole up to the end
    check(start, what);
    const end = check(addon.syscall(nr.lseek, source, start, SEEK_HOLE), what);
    copyRange(source, target, { start, end }, what);
    at = end;
  }
  check(addon.syscall(nr.ftruncate, target, sizeBytes), what);
}

function copyRange(
  source: number,
  target: number,
  { start, end }: { readonly start: number; readonly end: number },
  what: string,
): void {
  check(addon.syscall(nr.lseek, source, start, SEEK_SET), what);
  check(addon.syscall(nr.lseek, target, start, SEEK_SET), what);
  for (let rest = end - start; rest > 0; ) {
    const copied = addon.syscall(nr.copy_file_range, source, null, target, null, rest, 0);
    if (copied === 0) return;
    if (copied < 0) {
      if (!unknownWays.has(copied)) check(copied, what);
      readAndWrite(source, target, rest, what);
      return;
    }
    rest -= copied;
  }
}

function readAndWrite(source: number, target: number, bytes: number, what: string): void {
  const buffer = new Uint8Array(Math.min(pieceBytes, bytes));
  for (let rest = bytes; rest > 0; ) {
    const length = check(addon.syscall(nr.read, source, buffer, Math.min(buffer.length, rest)), what);
    if (length === 0) return;
    check(tryWrite(target, buffer.subarray(0, length)), what);
    rest -= length;
  }
}
