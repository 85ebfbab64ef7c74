import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { PlatformError } from "../errors/platform-error.ts";
import { errnoText } from "./errno.ts";

/** The errno name of an error of node:fs. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Text and number of node's error, as all errors of this room have them. */
export function fileError(error: unknown, what: string): PlatformError {
  const errno =
    error instanceof Error && "errno" in error && typeof error.errno === "number" ? -error.errno : 0;
  return new PlatformError("System", `${what}: ${errnoText(errno)}`, {
    code: `errno.${errnoOf(error) ?? "unknown"}`,
    cause: error,
  });
}

/**
 * Writes a file of cgroupfs in one call, as its files want it, and never makes one.
 * Errors: System naming file, value and errno.
 */
export function writeCgroupFile(file: string, value: string): void {
  try {
    const fd = openSync(file, constants.O_WRONLY);
    try {
      writeSync(fd, value);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError(error, `write ${value} to ${file}`);
  }
}

/** Without the newline; undefined where the file (or the cgroup) does not exist. */
export function readCgroupFile(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1").trimEnd();
  } catch (error) {
    if (["ENOENT", "ENODEV", "EOPNOTSUPP"].includes(errnoOf(error) ?? "")) return undefined;
    throw fileError(error, `read ${file}`);
  }
}
