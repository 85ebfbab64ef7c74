import { addon } from "../../kernel/addon.ts";
import type { Host } from "../host.ts";

const untilNul = (text: string): Buffer => Buffer.from(text.split("\0")[0] ?? "");

/** The host's functions as the front has them, on Bun: for tests of the environment outside of the interpreter. */
export const bunHost: Host = {
  syscall: addon.syscall,
  spawn: addon.spawn,
  sendFds: addon.sendFds,
  recvFds: addon.recvFds,
  address: (bytes) => Number(addon.address(bytes)),
  argumentCount: () => 0,
  argument: () => "",
  environment: () => undefined,
  encode: (text) => new Uint8Array(untilNul(text)).buffer,
  encodeInto: (text, bytes, offset, length) => untilNul(text).copy(bytes, offset, 0, length),
  decode: (bytes) => Buffer.from(bytes).toString("utf8"),
  monotonic: () => performance.now(),
  deleteNatively: () => 0,
};
