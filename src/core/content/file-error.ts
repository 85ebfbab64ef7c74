import { PlatformError } from "../../errors/platform-error.ts";
import { errnoName, errnoText } from "../../kernel/errno.ts";

/**
 * What node:fs threw, in the words of gantry: `write blob sha256:…: no space left on device`, kind System, code
 * `errno.ENOSPC`. Anything that is not an error of the system is passed through.
 */
export function fileError(error: unknown, what: string): unknown {
  if (error instanceof PlatformError || !isSystemError(error)) return error;
  const errno = Math.abs(error.errno);
  return new PlatformError("System", `${what}: ${errnoText(errno)}`, {
    code: `errno.${errnoName(errno)}`,
    cause: error,
  });
}

function isSystemError(error: unknown): error is Error & { errno: number } {
  return error instanceof Error && "errno" in error && typeof error.errno === "number";
}

/** Whether there is no room for what node:fs was to write. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

/** Whether the store itself failed, and not where its bytes come from. */
export function isStorageError(error: unknown): boolean {
  return error instanceof PlatformError && /^(errno|content)\./.test(error.code ?? "");
}

/** Whether node:fs failed because the path does not exist. */
export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
