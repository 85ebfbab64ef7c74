import { closeSync, writeSync } from "node:fs";
import { errnoNumber } from "../kernel/errno.ts";
import { errnoError } from "../kernel/syscall.ts";
import { connectUnix } from "../kernel/unix-sockets.ts";

const ECONNREFUSED = errnoNumber("ECONNREFUSED") ?? 111;

/**
 * Connects to a shim and sends the first message, before an event loop knows of the socket: the shim has it a millisecond
 * earlier. Out: the descriptor, which does not block; it is the caller's.
 * Errors: System with `errno.ENOENT` or `errno.ECONNREFUSED` when nobody listens, or no longer: the shim ends as it likes.
 */
export function connectShim(socketPath: string, firstMessage: () => Uint8Array): number {
  const fd = connectUnix(socketPath, { nonBlocking: true });
  try {
    writeSync(fd, firstMessage());
    return fd;
  } catch (error) {
    closeSync(fd);
    const hasEnded = error instanceof Error && "code" in error && error.code === "EPIPE";
    throw hasEnded ? errnoError(ECONNREFUSED, `connect to ${socketPath}`) : error;
  }
}
