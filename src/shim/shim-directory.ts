import { closeSync, mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { conflict, PlatformError } from "../errors/platform-error.ts";
import { connectUnix } from "../kernel/unix-sockets.ts";

export const socketPath = (directory: string): string => join(directory, "shim.sock");

/** The error of a connection to a socket at which no shim listens any more. */
export function isNobodyThere(error: unknown): boolean {
  return (
    error instanceof PlatformError && (error.code === "errno.ENOENT" || error.code === "errno.ECONNREFUSED")
  );
}

/**
 * Makes the directory of a new shim. What a dead one has left there is removed; Conflict when one lives in it, whose socket
 * must not be taken away.
 */
export async function makeShimDirectory(directory: string): Promise<void> {
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  if (tryMkdir(directory)) return;
  if (isListening(directory)) throw conflict(`a shim runs in ${directory} already`);
  await rm(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
}

function tryMkdir(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function isListening(directory: string): boolean {
  try {
    closeSync(connectUnix(socketPath(directory)));
    return true;
  } catch (error) {
    if (isNobodyThere(error)) return false;
    throw error;
  }
}
