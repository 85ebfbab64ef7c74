import { openSync } from "node:fs";
import { join } from "node:path";
import { conflict } from "../errors/platform-error.ts";
import { tryLock } from "../kernel/file-lock.ts";

/** Makes this process the only engine of a directory for as long as it lives. Errors: Conflict when another is. */
export function lockDirectory(directory: string): void {
  const path = join(directory, "engine.lock");
  const fd = openSync(path, "w", 0o600); // stays open until the process ends, and is close-on-exec
  if (tryLock(fd, path)) return;
  throw conflict(`another engine uses ${directory}`, {
    hint: "stop it first, or give this one its own --root and --state",
  });
}
