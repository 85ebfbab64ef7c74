import { closeSync } from "node:fs";
import { isIPv4 } from "node:net";
import { invalidParameter } from "../errors/platform-error.ts";
import { call } from "./syscall.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SOCKADDR_IN_BYTES = 16;

export interface InetAddress {
  /** Dotted IPv4 address. */
  readonly ip: string;
  readonly port: number;
}

/**
 * A bound socket (tcp: listening too) which only holds the port, so that no other process gets it.
 * Errors: errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES, in Docker's words:
 * `listen tcp4 0.0.0.0:80: bind: address already in use`. Close the descriptor to give the port back.
 */
export function bindInet(protocol: "tcp" | "udp", address: InetAddress): number {
  const type = (protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC;
  const what = `listen ${protocol}4 ${address.ip}:${address.port}: bind`;
  const fd = call("socket", what, AF_INET, type, 0);
  try {
    // A connection of the previous holder in TIME_WAIT does not hinder; for UDP it would allow sharing.
    const on = new Uint8Array([1, 0, 0, 0]);
    if (protocol === "tcp") call("setsockopt", what, fd, SOL_SOCKET, SO_REUSEADDR, on, on.length);
    const bytes = inetAddress(address);
    call("bind", what, fd, bytes, bytes.length);
    if (protocol === "tcp") call("listen", what, fd, 1);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** struct sockaddr_in; pure. */
export function inetAddress(address: InetAddress): Uint8Array {
  if (!isIPv4(address.ip)) throw invalidParameter(`invalid IPv4 address: ${address.ip}`);
  const bytes = new Uint8Array(SOCKADDR_IN_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, address.port);
  bytes.set(address.ip.split(".").map(Number), 4);
  return bytes;
}
