import { addon } from "./addon.ts";
import { errnoNumber } from "./errno.ts";
import { check, nr } from "./syscall.ts";

/** openat2(2): limits of path resolution below the directory. */
export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
/** Leaving the directory is an error (EXDEV). */
export const RESOLVE_BENEATH = 0x08;
/** The directory is "/" for `..` and absolute links. */
export const RESOLVE_IN_ROOT = 0x10;

export const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

export interface OpenHow {
  /** O_*; O_CLOEXEC is added. */
  readonly flags: number;
  /** Permission bits with O_CREAT. */
  readonly mode?: number;
  /** RESOLVE_* */
  readonly resolve: number;
}

/** A rename elsewhere during resolution of `..` makes the kernel give up with EAGAIN: it asks to try again. */
const ATTEMPTS = 64;
const EAGAIN = errnoNumber("EAGAIN") ?? 11;

/** Opens `path` below `directoryFd`; returns a descriptor (close-on-exec), or -errno. */
export function tryOpenat2(directoryFd: number, path: string | Uint8Array, how: OpenHow): number {
  const structure = new Uint8Array(
    new BigUint64Array([BigInt(how.flags | O_CLOEXEC), BigInt(how.mode ?? 0), BigInt(how.resolve)]).buffer,
  );
  let result = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    result = addon.syscall(nr.openat2, directoryFd, path, structure, structure.length);
    if (result !== -EAGAIN) break;
  }
  return result;
}

/** The same; throws on failure. */
export function openat2(directoryFd: number, path: string | Uint8Array, how: OpenHow): number {
  const name = typeof path === "string" ? path : new TextDecoder().decode(path).replace(/\0$/, "");
  return check(tryOpenat2(directoryFd, path, how), `open ${name}`);
}
