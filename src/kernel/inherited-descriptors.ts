import { call, isErrno } from "./syscall.ts";

const F_GETFD = 1;
const FD_CLOEXEC = 1;

/**
 * Whether this process got descriptor `fd` from its parent: it is open, and would survive an exec, as it survived ours. All that we
 * open ourselves is close-on-exec, so that a number that the parent left free and that is ours now does not pass for one of its.
 */
export function isInherited(fd: number): boolean {
  try {
    return (call("fcntl", `look at descriptor ${fd}`, fd, F_GETFD, 0) & FD_CLOEXEC) === 0;
  } catch (error) {
    if (isErrno(error, "EBADF")) return false;
    throw error;
  }
}
