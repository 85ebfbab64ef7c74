import { addon } from "./addon.ts";
import { errnoNumber } from "./errno.ts";
import { check, nr } from "./syscall.ts";

/** flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = errnoNumber("EAGAIN") ?? 11;

/**
 * Takes the exclusive lock of an open file, for as long as the descriptor lives; the kernel drops it with the process,
 * however that ends. False when another process has it.
 */
export function tryLockFile(fd: number, path: string): boolean {
  const result = addon.syscall(nr.flock, fd, LOCK_EX | LOCK_NB);
  if (result === -EWOULDBLOCK) return false;
  check(result, `lock ${path}`);
  return true;
}
