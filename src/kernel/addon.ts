import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { messageOf, PlatformError } from "../errors/platform-error.ts";

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

let configuredPath: string | undefined;
let loaded: Addon | undefined;

/** Says where the addon's file is, before its first use; a file embedded in the executable is unpacked. */
export function setAddonPath(path: string): void {
  configuredPath = path;
}

/** Loaded at the first call, so that commands which need no system call do not pay for it. */
export const addon: Addon = {
  syscall: (nr, ...args) => native().syscall(nr, ...args),
  syscallAsync: (nr, ...args) => native().syscallAsync(nr, ...args),
  address: (bytes) => native().address(bytes),
  spawn: (file, argv, env, fds) => native().spawn(file, argv, env, fds),
  sendFds: (socket, data, fds) => native().sendFds(socket, data, fds),
  recvFds: (socket, buffer, maxFds) => native().recvFds(socket, buffer, maxFds),
  makeNetns: (path) => native().makeNetns(path),
  makeNetnsAsync: (path) => native().makeNetnsAsync(path),
  netlinkSocketIn: (netnsFd) => native().netlinkSocketIn(netnsFd),
};

/** Whether a system call is to be had for nothing. */
export const isAddonLoaded = (): boolean => loaded !== undefined;

function native(): Addon {
  loaded ??= loadFirst(candidates());
  return loaded;
}

function candidates(): string[] {
  const fromEnvironment = process.env.GANTRY_ADDON;
  if (fromEnvironment) return [fromEnvironment];
  if (configuredPath) return [configuredPath];
  return [
    join(dirname(process.execPath), "gantry.node"),
    join(import.meta.dirname, "../../build/addon/gantry.node"), // a source checkout
  ];
}

function loadFirst(paths: readonly string[]): Addon {
  const failures: string[] = [];
  for (const path of paths) {
    try {
      return isEmbedded(path) ? loadUnpacked(path) : load(path);
    } catch (error) {
      failures.push(`${path}: ${messageOf(error)}`);
    }
  }
  throw new PlatformError("System", `native addon cannot be loaded: ${failures.join("; ")}`, {
    code: "addon.missing",
    hint: "build it with `npm run build`, or name its file in GANTRY_ADDON",
  });
}

function load(path: string): Addon {
  const module = { exports: {} };
  process.dlopen(module, path);
  const exported: unknown = module.exports;
  if (!isAddon(exported)) throw new Error("is not gantry's addon, or one of another version");
  return exported;
}

function isAddon(value: unknown): value is Addon {
  return typeof value === "object" && value !== null && Object.keys(addon).every((name) => name in value);
}

const isEmbedded = (path: string): boolean => path.startsWith("/$bunfs/");

/**
 * The dynamic linker needs a real file, for as long as it takes to map it: one without a name, or where the file system has
 * none of those, one in a private directory. (A predictable name in a shared one would let others put their code there.)
 */
function loadUnpacked(path: string): Addon {
  const bytes = readFileSync(path);
  let failure: unknown;
  // A directory may be missing, read-only or mounted noexec.
  for (const parent of new Set(["/run", "/dev/shm", tmpdir(), "/tmp", "/var/tmp"])) {
    for (const loadIn of [loadUnnamed, loadInPrivateDirectory]) {
      try {
        return loadIn(parent, bytes);
      } catch (error) {
        failure = error;
      }
    }
  }
  throw failure;
}

/** Half of open(2)'s O_TMPFILE; the other half is O_DIRECTORY, which depends on the architecture. */
const UNNAMED = 0o20000000;

function loadUnnamed(parent: string, bytes: Uint8Array): Addon {
  const fd = openSync(parent, UNNAMED | constants.O_DIRECTORY | constants.O_RDWR, 0o500);
  try {
    writeSync(fd, bytes);
    return load(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function loadInPrivateDirectory(parent: string, bytes: Uint8Array): Addon {
  const directory = mkdtempSync(join(parent, "gantry-addon-"));
  try {
    const file = join(directory, "gantry.node");
    writeFileSync(file, bytes, { mode: 0o500 });
    return load(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
