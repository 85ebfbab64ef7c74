import {
  type BigIntStats,
  closeSync,
  close as fsClose,
  fstat as fsFstat,
  open as fsOpen,
  read as fsRead,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { promisify } from "node:util";

type Path = string | Buffer;
type Later<T> = T | Promise<T>;

/** What the walks over trees ask of the kernel. `status` does not follow a symbolic link. Errors: the kernel's. */
interface TreeCalls {
  open(path: Path, flags: number): Later<number>;
  close(fd: number): Later<void>;
  names(path: Path): Later<Buffer[]>;
  status(path: Path): Later<BigIntStats | undefined>;
  statusOf(fd: number): Later<BigIntStats>;
  /** Fills `bytes` from a position of the file on; out: how many there were. */
  read(fd: number, bytes: Buffer, position: number): Later<number>;
  target(path: Path): Later<Buffer>;
}

/** Several times as quick as a thread for each call, where nobody minds a wait for the disk. */
const waiting: TreeCalls = {
  open: openSync,
  close: closeSync,
  names: (path) => readdirSync(path, { encoding: "buffer" }),
  status: (path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }),
  statusOf: (fd) => fstatSync(fd, { bigint: true }),
  read: (fd, bytes, position) => readSync(fd, bytes, 0, bytes.length, position),
  target: (path) => readlinkSync(path, { encoding: "buffer" }),
};

const openLater = promisify(fsOpen) as (path: Path, flags: number) => Promise<number>;
const statusLater = promisify(fsFstat) as (fd: number, options: { bigint: true }) => Promise<BigIntStats>;
const readLater = promisify(fsRead) as unknown as (
  ...request: [fd: number, bytes: Buffer, offset: number, length: number, position: number]
) => Promise<{ bytesRead: number }>;

const notWaiting: TreeCalls = {
  open: openLater,
  close: promisify(fsClose),
  names: (path) => readdir(path, { encoding: "buffer" }),
  status: (path) => lstat(path, { bigint: true }),
  statusOf: (fd) => statusLater(fd, { bigint: true }),
  read: async (fd, bytes, position) => (await readLater(fd, bytes, 0, bytes.length, position)).bytesRead,
  target: (path) => readlink(path, { encoding: "buffer" }),
};

/** A Worker may wait for the disk, the thread that serves everybody may not. */
export const treeCalls: TreeCalls = Bun.isMainThread ? notWaiting : waiting;
