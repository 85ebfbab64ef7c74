import { chmodSync, closeSync, constants, openSync } from "node:fs";
import { basename, dirname } from "node:path";
import { invalidParameter } from "../errors/platform-error.ts";
import { addon } from "./addon.ts";
import { O_PATH } from "./openat2.ts";
import { call, check } from "./syscall.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
/** sun_path with its NUL (unix(7)). */
const SUN_PATH_BYTES = 108;

export interface ListenOptions {
  /** Permission bits of the socket file; nobody gets more at any moment. */
  readonly mode: number;
  readonly backlog?: number;
  /** Set it for descriptors that an event loop serves, clear it for programs which expect a blocking one. */
  readonly nonBlocking?: boolean;
}

/**
 * A listening unix stream socket at `path`, however long; its descriptor (close-on-exec) is the caller's.
 * Errors: errno.EADDRINUSE when the file exists.
 */
export function listenUnix(path: string, options: ListenOptions): number {
  const fd = openSocket(path, options.nonBlocking ?? false);
  try {
    // The mode of the descriptor is that of the file which bind makes, less the umask.
    call("fchmod", `set mode of socket ${path}`, fd, options.mode);
    withAddress(path, (address) => {
      call("bind", `listen on ${path}`, fd, address, address.length);
    });
    chmodSync(path, options.mode);
    call("listen", `listen on ${path}`, fd, options.backlog ?? 512);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A connected unix stream socket; errno.ENOENT or errno.ECONNREFUSED when nobody listens. */
export function connectUnix(path: string, options: { nonBlocking?: boolean } = {}): number {
  const fd = openSocket(path, options.nonBlocking ?? false);
  try {
    withAddress(path, (address) => {
      call("connect", `connect to ${path}`, fd, address, address.length);
    });
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Two connected stream sockets, or ones that keep the borders of messages. */
export function socketPair(kind: "stream" | "seqpacket" = "stream"): [number, number] {
  const pair = new Int32Array(2);
  const bytes = new Uint8Array(pair.buffer);
  const type = kind === "stream" ? SOCK_STREAM : SOCK_SEQPACKET;
  call("socketpair", "make socket pair", AF_UNIX, type | SOCK_CLOEXEC, 0, bytes);
  return [pair[0] ?? -1, pair[1] ?? -1];
}

/** Sends descriptors along with `data` (at least one byte). */
export function sendDescriptors(socket: number, data: Uint8Array, fds: readonly number[]): number {
  return check(addon.sendFds(socket, data, fds), "send descriptors");
}

/** Receives data and descriptors (close-on-exec); `bytes` is 0 at the end of the stream. */
export function receiveDescriptors(
  socket: number,
  buffer: Uint8Array,
  maxFds: number,
): { bytes: number; fds: number[] } {
  const result = addon.recvFds(socket, buffer, maxFds);
  if (typeof result !== "number") return result;
  check(result, "receive descriptors");
  return { bytes: 0, fds: [] };
}

function openSocket(path: string, nonBlocking: boolean): number {
  const type = SOCK_STREAM | SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0);
  return call("socket", `open socket for ${path}`, AF_UNIX, type, 0);
}

/** A path that does not fit into sun_path is named by its directory's descriptor. */
function withAddress(path: string, use: (address: Uint8Array) => void): void {
  if (Buffer.byteLength(path) < SUN_PATH_BYTES) {
    use(unixAddress(path));
    return;
  }
  const directory = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
  try {
    use(unixAddress(`/proc/self/fd/${directory}/${basename(path)}`));
  } finally {
    closeSync(directory);
  }
}

/** struct sockaddr_un; pure. */
export function unixAddress(path: string): Uint8Array {
  const name = Buffer.from(path);
  if (name.length >= SUN_PATH_BYTES) throw invalidParameter(`socket ${path}: file name is too long`);
  const address = new Uint8Array(2 + name.length + 1);
  address[0] = AF_UNIX;
  address.set(name, 2);
  return address;
}
