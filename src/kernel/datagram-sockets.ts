import { closeSync } from "node:fs";
import { call } from "./syscall.ts";
import { unixAddress } from "./unix-sockets.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;

/** A unix datagram socket at `path`; its descriptor is the caller's. */
export function bindDatagram(path: string): number {
  const fd = openSocket();
  try {
    const address = unixAddress(path);
    call("bind", `listen on ${path}`, fd, address, address.length);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The next message as text, at most 64 KB of it; waits for one. */
export function receiveDatagram(fd: number): string {
  const buffer = Buffer.alloc(65536);
  const length = call("recvfrom", "receive a message", fd, buffer, buffer.length, 0, null, null);
  return buffer.toString("utf8", 0, length);
}

/** Sends one message to the socket at `path`; a leading `@` means an abstract one (unix(7)). */
export function sendDatagram(path: string, text: string): void {
  const fd = openSocket();
  try {
    const address = path.startsWith("@") ? abstractAddress(path) : unixAddress(path);
    const message = Buffer.from(text);
    call("sendto", `send to ${path}`, fd, message, message.length, 0, address, address.length);
  } finally {
    closeSync(fd);
  }
}

/** The name follows a zero byte, and has none at its end. */
function abstractAddress(path: string): Uint8Array {
  const address = unixAddress(path).slice(0, -1);
  address[2] = 0;
  return address;
}

const openSocket = (): number => call("socket", "open a socket", AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
