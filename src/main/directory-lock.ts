import { openSync } from "node:fs";
import { join } from "node:path";
import { conflict } from "../errors/platform-error.ts";
import { addon } from "../kernel/addon.ts";
import { check, nr } from "../kernel/syscall.ts";

/** flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

/**
 * Makes this process the only engine of a directory for as long as it lives: the kernel drops the lock with the
 * process, however that ends. Errors: Conflict when another engine has it.
 */
export function lockDirectory(directory: string): void {
  const path = join(directory, "engine.lock");
  const fd = openSync(path, "w", 0o600); // stays open, and close-on-exec
  const result = addon.syscall(nr.flock, fd, LOCK_EX | LOCK_NB);
  if (result === -EWOULDBLOCK) {
    throw conflict(`another engine uses ${directory}`, {
      hint: "stop it first, or give this one its own --root and --state",
    });
  }
  check(result, `lock ${path}`);
}
