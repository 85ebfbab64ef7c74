import { closeSync } from "node:fs";
import { PlatformError } from "../../errors/platform-error.ts";
import { addon } from "../addon.ts";
import { errnoName, errnoNumber, errnoText } from "../errno.ts";
import { call, callAsync, check, nr } from "../syscall.ts";
import {
  decodeAnswer,
  decodeMessages,
  encodeMessages,
  type NetlinkMessage,
  NLMSG_DONE,
  NLMSG_ERROR,
  type ReceivedMessage,
} from "./messages.ts";

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
/** The kernel fills up to 32 KiB a datagram of a dump. */
const BUFFER_BYTES = 65536;
const EAGAIN = errnoNumber("EAGAIN") ?? 11;

/**
 * A netlink socket for requests and their answers. The kernel handles a request inside sendto, which may wait
 * for its locks (tens of milliseconds while it deletes interfaces): so that runs on a thread of the pool, and all
 * answers are there when it returns. Requests of several callers follow one another.
 */
export class NetlinkSocket implements Disposable {
  private sequence = 1;
  private last: Promise<unknown> = Promise.resolve();

  /** Takes the descriptor over. */
  constructor(readonly fd: number) {
    const on = new Uint8Array([1, 0, 0, 0]);
    call("setsockopt", "set up netlink socket", fd, SOL_NETLINK, NETLINK_CAP_ACK, on, on.length);
    call("setsockopt", "set up netlink socket", fd, SOL_NETLINK, NETLINK_EXT_ACK, on, on.length);
  }

  /** In this process's network namespace. */
  static open(protocol: number): NetlinkSocket {
    const type = SOCK_RAW | SOCK_CLOEXEC;
    return new NetlinkSocket(call("socket", "open netlink socket", AF_NETLINK, type, protocol));
  }

  /** An rtnetlink socket in another network namespace. */
  static openIn(netnsFd: number): NetlinkSocket {
    return new NetlinkSocket(check(addon.netlinkSocketIn(netnsFd), "open netlink socket in a namespace"));
  }

  /**
   * Sends the messages in one datagram; resolves to what the kernel sent back beside acknowledgements.
   * Errors: the first refusal: `WHAT: file exists (explanation of the kernel)`, code errno.EEXIST.
   */
  request(what: string, messages: readonly NetlinkMessage[]): Promise<ReceivedMessage[]> {
    const result = this.last.then(() => this.exchange(what, messages));
    this.last = result.catch(() => {});
    return result;
  }

  private async exchange(what: string, messages: readonly NetlinkMessage[]): Promise<ReceivedMessage[]> {
    const datagram = encodeMessages(messages, this.sequence);
    this.sequence += messages.length;
    await callAsync("sendto", what, this.fd, datagram, datagram.length, 0, null, 0);
    return this.receiveAll(what);
  }

  private receiveAll(what: string): ReceivedMessage[] {
    const buffer = new Uint8Array(BUFFER_BYTES);
    const received: ReceivedMessage[] = [];
    let refusal: PlatformError | undefined;
    for (;;) {
      const flags = MSG_DONTWAIT | MSG_TRUNC;
      const length = addon.syscall(nr.recvfrom, this.fd, buffer, buffer.length, flags, null, null);
      if (length === -EAGAIN) break;
      check(length, what);
      for (const message of decodeMessages(buffer.subarray(0, length))) {
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) refusal ??= refusalOf(what, message);
        else received.push(message);
      }
    }
    if (refusal) throw refusal;
    return received;
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

function refusalOf(what: string, message: ReceivedMessage): PlatformError | undefined {
  const { errno, explanation } = decodeAnswer(message);
  if (errno === 0) return undefined;
  const detail = explanation === "" ? "" : ` (${explanation})`;
  return new PlatformError("System", `${what}: ${errnoText(errno)}${detail}`, {
    code: `errno.${errnoName(errno)}`,
  });
}
