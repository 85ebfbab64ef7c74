import { PlatformError } from "../errors/platform-error.ts";
import { addon, type SyscallArgument } from "./addon.ts";
import { errnoName, errnoText } from "./errno.ts";

/** System call numbers: [x86_64, aarch64] (asm/unistd_64.h; asm-generic/unistd.h). */
const numbers = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  lseek: [8, 62],
  pread64: [17, 67],
  pwrite64: [18, 68],
  ioctl: [16, 29],
  ppoll: [271, 73],
  dup3: [292, 24],
  pipe2: [293, 59],
  socket: [41, 198],
  socketpair: [53, 199],
  connect: [42, 203],
  bind: [49, 200],
  listen: [50, 201],
  accept4: [288, 242],
  sendto: [44, 206],
  recvfrom: [45, 207],
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  setsockopt: [54, 208],
  getsockopt: [55, 209],
  getsockname: [51, 204],
  shutdown: [48, 210],
  kill: [62, 129],
  wait4: [61, 260],
  exit_group: [231, 94],
  fcntl: [72, 25],
  ftruncate: [77, 46],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchownat: [260, 54],
  mkdirat: [258, 34],
  mknodat: [259, 33],
  symlinkat: [266, 36],
  linkat: [265, 37],
  unlinkat: [263, 35],
  renameat2: [316, 276],
  readlinkat: [267, 78],
  faccessat: [269, 48],
  openat: [257, 56],
  openat2: [437, 437],
  statx: [332, 291],
  fstatfs: [138, 44],
  statfs: [137, 43],
  utimensat: [280, 88],
  setxattr: [188, 5],
  lsetxattr: [189, 6],
  fsetxattr: [190, 7],
  getxattr: [191, 8],
  lgetxattr: [192, 9],
  fgetxattr: [193, 10],
  listxattr: [194, 11],
  llistxattr: [195, 12],
  flistxattr: [196, 13],
  removexattr: [197, 14],
  lremovexattr: [198, 15],
  fremovexattr: [199, 16],
  mount: [165, 40],
  umount2: [166, 39],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  pivot_root: [155, 41],
  chroot: [161, 51],
  fchdir: [81, 50],
  setns: [308, 268],
  unshare: [272, 97],
  memfd_create: [319, 279],
  bpf: [321, 280],
  eventfd2: [290, 19],
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  epoll_pwait: [281, 22],
  rt_sigprocmask: [14, 135],
  signalfd4: [289, 74],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  pidfd_getfd: [438, 438],
  prctl: [157, 167],
  prlimit64: [302, 261],
  seccomp: [317, 277],
  getdents64: [217, 61],
  sync_file_range: [277, 84],
  syncfs: [306, 267],
  fsync: [74, 82],
  fallocate: [285, 47],
  copy_file_range: [326, 285],
  sendfile: [40, 71],
  flock: [73, 32],
  umask: [95, 166],
  getpid: [39, 172],
  getuid: [102, 174],
  geteuid: [107, 175],
  getegid: [108, 177],
  getcwd: [79, 17],
  close_range: [436, 436],
  sched_setaffinity: [203, 122],
  sched_setattr: [314, 274],
  sched_getattr: [315, 275],
  setsid: [112, 157],
  execveat: [322, 281],
  clone3: [435, 435],
  inotify_init1: [294, 26],
  inotify_add_watch: [254, 27],
  name_to_handle_at: [303, 264],
  capget: [125, 90],
  quotactl: [179, 60],
} as const satisfies Record<string, readonly [x64: number, arm64: number]>;

export type SyscallName = keyof typeof numbers;

/** The numbers of this machine. */
export const nr: Readonly<Record<SyscallName, number>> = numbersOf(process.arch);

function numbersOf(architecture: string): Record<SyscallName, number> {
  const column = architecture === "arm64" ? 1 : 0;
  const entries = Object.entries(numbers).map(([name, pair]) => [name, pair[column]]);
  return Object.fromEntries(entries) as Record<SyscallName, number>;
}

/** The current directory, for the *at calls. */
export const AT_FDCWD = -100;

/**
 * Passes a result through; a negative one becomes an error which names `what` was tried and why it failed:
 * `mount /proc: permission denied`, code `errno.EACCES`.
 */
export function check(result: number, what: string): number {
  if (result < 0) throw errnoError(-result, what);
  return result;
}

export function errnoError(errno: number, what: string): PlatformError {
  return new PlatformError("System", `${what}: ${errnoText(errno)}`, { code: `errno.${errnoName(errno)}` });
}

/** Whether an error of `check` has one of the given names: `isErrno(error, "ENOENT")`. */
export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof PlatformError && names.some((name) => error.code === `errno.${name}`);
}

/** A system call by name, checked. */
export function call(name: SyscallName, what: string, ...args: SyscallArgument[]): number {
  return check(addon.syscall(nr[name], ...args), what);
}

/** The same on a thread of the pool. */
export async function callAsync(
  name: SyscallName,
  what: string,
  ...args: SyscallArgument[]
): Promise<number> {
  return check(await addon.syscallAsync(nr[name], ...args), what);
}
