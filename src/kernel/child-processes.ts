import { addon, type FdMapping } from "./addon.ts";

import { errnoNumber } from "./errno.ts";
import { type ChildStatus, childStatus } from "./processes.ts";
import { call, check, nr } from "./syscall.ts";

export type { FdMapping };

const EINTR = errnoNumber("EINTR") ?? 4;
const EINVAL = errnoNumber("EINVAL") ?? 22;
const O_CLOEXEC = 0o2000000;
const PR_SET_CHILD_SUBREAPER = 36;

/**
 * Executes `file` with exactly the given environment and descriptors (see `Addon.spawn`). Out: the child's pid; reaping it
 * is the caller's. Errors: System naming the file and errno, and no child.
 */
export function spawnProcess(
  file: string,
  argv: readonly string[],
  env: readonly string[],
  fds: readonly FdMapping[],
): number {
  return check(addon.spawn(file, argv, env, fds), `run ${argv[0] ?? file}`);
}

/** Waits for a child and reaps it, holding this thread: for children that end at once. */
export function reapNow(pid: number): ChildStatus {
  const status = new Int32Array(1);
  const bytes = new Uint8Array(status.buffer);
  for (;;) {
    const result = addon.syscall(nr.wait4, pid, bytes, 0, null);
    if (result === -EINTR) continue;
    check(result, `wait for process ${pid}`);
    return childStatus(status[0] ?? 0);
  }
}

/** Both ends are close-on-exec and the caller's to close. */
export function makePipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const ends = new Int32Array(2);
  call("pipe2", "make a pipe", new Uint8Array(ends.buffer), O_CLOEXEC);
  return { readEnd: ends[0] ?? -1, writeEnd: ends[1] ?? -1 };
}

/** From now on orphans below this process become its children (prctl(2)); an old kernel without it goes on without. */
export function becomeSubreaper(): void {
  const result = addon.syscall(nr.prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (result !== -EINVAL) check(result, "become a subreaper");
}
