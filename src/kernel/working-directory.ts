import { closeSync, constants, openSync } from "node:fs";
import { O_PATH } from "./openat2.ts";
import { call } from "./syscall.ts";

/** Does `action` with `path` as working directory of this process, or where it is when there is no such directory (any more). */
export function inDirectory<T>(path: string, action: () => T): T {
  const there = tryOpen(path);
  if (there === undefined) return action();
  const here = openSync(".", O_PATH | constants.O_DIRECTORY);
  try {
    call("fchdir", `change to ${path}`, there);
    return action();
  } finally {
    call("fchdir", "return to the working directory", here);
    closeSync(here);
    closeSync(there);
  }
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, O_PATH | constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
}
