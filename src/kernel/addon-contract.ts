/** Strings and Uint8Arrays are passed as pointers (strings NUL-terminated), null as a null pointer. */
export type SyscallArgument = number | bigint | string | Uint8Array | null;

/** Descriptor in this process, and the number under which the child shall see it. */
export type FdMapping = readonly [parentFd: number, childFd: number];

/**
 * The native functions (addon/*.c). Results are the kernel's: a number, or -errno; `check` of syscall.ts turns
 * those into errors. Arguments of a wrong type throw TypeError. Usable in every thread.
 */
export interface Addon {
  /** Raw system call with at most six arguments; numbers have to be safe integers. */
  syscall(nr: number, ...args: SyscallArgument[]): number;
  /**
   * The same on a thread of the pool: for calls that may sleep in the kernel (unmount, netlink). Uint8Arrays
   * stay alive until it settles. Not for calls that change the thread itself (setns, unshare).
   */
  syscallAsync(nr: number, ...args: SyscallArgument[]): Promise<number>;
  /** Where the bytes are, for structures with pointers in them; valid while the caller holds `bytes`. */
  address(bytes: Uint8Array): bigint;
  /**
   * execve in a clean child: signal mask and dispositions reset, only the given fds open. Returns once it
   * has exec'd: its pid (waiting for it is the caller's, see processes.ts), or -errno and no child.
   * `file` may be `/proc/self/fd/N`. Needs Linux 5.11 (CLOSE_RANGE_CLOEXEC).
   */
  spawn(file: string, argv: readonly string[], env: readonly string[], fds: readonly FdMapping[]): number;
  /** sendmsg with SCM_RIGHTS; a stream socket needs at least one byte of data. Returns the bytes sent. */
  sendFds(socket: number, data: Uint8Array, fds: readonly number[]): number;
  /** recvmsg; the descriptors are close-on-exec. More than `maxFds` of them: all are closed, -EMSGSIZE. */
  recvFds(socket: number, buffer: Uint8Array, maxFds: number): { bytes: number; fds: number[] } | number;
  /** A new network namespace with lo up, bind-mounted on `path`, which must not exist. Blocks about 1 ms. */
  makeNetns(path: string): number;
  makeNetnsAsync(path: string): Promise<number>;
  /** An rtnetlink socket (close-on-exec) inside the network namespace of `netnsFd`. */
  netlinkSocketIn(netnsFd: number): number;
}
