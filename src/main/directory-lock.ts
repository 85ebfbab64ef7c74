import { openSync } from "node:fs";
import { join } from "node:path";
import { conflict } from "../errors/platform-error.ts";
import { tryLock } from "../kernel/file-lock.ts";

/** Makes this process the only one of its role in a directory while it lives. Errors: Conflict when another is. */
export function lockDirectory(directory: string, role: "engine" | "registry" = "engine"): void {
  const path = join(directory, `${role}.lock`);
  const fd = openSync(path, "w", 0o600); // stays open until the process ends, and is close-on-exec
  if (tryLock(fd, path)) return;
  throw conflict(`another ${role} uses ${directory}`, {
    hint: "stop it first, or give this one directories of its own",
  });
}
