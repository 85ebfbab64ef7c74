import { chmodSync, closeSync, constants, openSync, readFileSync, readSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { conflict, systemError } from "../../errors/platform-error.ts";
import { errnoOf } from "../../kernel/cgroup-files.ts";
import { mknodat, S_IFIFO } from "../../kernel/files.ts";
import { POLLIN, poll } from "../../kernel/poll.ts";
import { AT_FDCWD } from "../../kernel/syscall.ts";

/**
 * A created container's process opens this fifo for writing, which the kernel lets it do once `start` reads. It writes "0",
 * and closes it by exec; a step that fails on the way is written behind the "0".
 */
export const fifoPath = (directory: string): string => join(directory, "exec.fifo");

/** Writable for the root of a user namespace, who is a stranger to the host. */
const fifoMode = 0o622;

export function makeExecFifo(directory: string): void {
  const path = fifoPath(directory);
  mknodat(AT_FDCWD, path, S_IFIFO | fifoMode);
  chmodSync(path, fifoMode); // whatever the umask is
}

export const alreadyStarted = () => conflict("cannot start an already running container");

/**
 * Lets the waiting process go on, and waits until it has executed its program.
 *
 * In:     a pidfd of it, so that its death ends the waiting.
 * Out:    nothing, or what it wrote of a failing step.
 * Errors: Conflict when another `start` came first, System when the process died before.
 */
export function releaseFifo(directory: string, pidfd: number): Uint8Array | undefined {
  const path = fifoPath(directory);
  const fd = openFifo(path);
  try {
    const first = readSome(fd, pidfd);
    if (first.length === 0) throw alreadyStarted();
    unlinkQuietly(path);
    const rest = [first.subarray(1)];
    for (let part = readSome(fd, -1); part.length > 0; part = readSome(fd, -1)) rest.push(part);
    const report = Buffer.concat(rest);
    return report.length === 0 ? undefined : report;
  } finally {
    closeSync(fd);
  }
}

/**
 * What the process wrote of a failing step to a `start` of the native front, which cannot name the step
 * (`front/runtime/start-container.c`). Whoever takes it has to tell it. Undefined when there is none.
 */
export function takeStartFailure(directory: string): Uint8Array | undefined {
  const path = join(directory, "start.failure");
  try {
    const report = readFileSync(path);
    unlinkSync(path);
    return report;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw systemError(`read ${path}: ${errnoOf(error) ?? "failed"}`, { cause: error });
  }
}

function openFifo(path: string): number {
  try {
    // Reading never waits for a writer that is dead.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw alreadyStarted();
    throw systemError(`open ${path}: ${errnoOf(error) ?? "failed"}`, { cause: error });
  }
}

/** Empty at the end. `pidfd` -1: the end of the writer is the end of the fifo. */
function readSome(fd: number, pidfd: number): Buffer {
  const buffer = Buffer.alloc(4096);
  for (;;) {
    const [ready = 0, ended = 0] = poll([
      { fd, events: POLLIN },
      { fd: pidfd, events: POLLIN },
    ]);
    if (ready === 0 && ended !== 0)
      throw systemError("the container's process ended before it was started", { code: "container.died" });
    try {
      return buffer.subarray(0, readSync(fd, buffer));
    } catch (error) {
      if (errnoOf(error) !== "EAGAIN") throw error;
    }
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Whoever deletes the container at this moment has removed it.
  }
}
