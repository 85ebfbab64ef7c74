import { addon } from "./addon.ts";
import { check, nr } from "./syscall.ts";

/** flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

/** Locks an open file or directory against others; false when somebody else has it. Closing the descriptor lets go. */
export function tryLock(fd: number, what: string): boolean {
  const result = addon.syscall(nr.flock, fd, LOCK_EX | LOCK_NB);
  if (result === -EWOULDBLOCK) return false;
  check(result, `lock ${what}`);
  return true;
}
