import { concat, decodeAttributes, decodeString } from "./attributes.ts";

/** struct nlmsghdr (netlink(7)). */
const HEADER_BYTES = 16;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
const NLMSGERR_ATTR_MSG = 1;

export interface NetlinkMessage {
  readonly type: number;
  /** NLM_F_* beside NLM_F_REQUEST, which is added. */
  readonly flags: number;
  /** The family's own header, and attributes. */
  readonly body: Uint8Array;
}

export interface ReceivedMessage extends NetlinkMessage {
  readonly sequence: number;
}

/** One datagram of several messages, numbered from `firstSequence`. */
export function encodeMessages(messages: readonly NetlinkMessage[], firstSequence: number): Uint8Array {
  return concat(messages.map((message, index) => encodeMessage(message, firstSequence + index)));
}

function encodeMessage({ type, flags, body }: NetlinkMessage, sequence: number): Uint8Array {
  const bytes = new Uint8Array((HEADER_BYTES + body.length + 3) & ~3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, HEADER_BYTES + body.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags | NLM_F_REQUEST, true);
  view.setUint32(8, sequence, true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/** The messages of a received datagram; a broken tail is left out. */
export function decodeMessages(bytes: Uint8Array): ReceivedMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: ReceivedMessage[] = [];
  for (let offset = 0; offset + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint32(offset, true);
    if (length < HEADER_BYTES || offset + length > bytes.length) break;
    messages.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      body: bytes.slice(offset + HEADER_BYTES, offset + length),
    });
    offset += (length + 3) & ~3;
  }
  return messages;
}

export interface NetlinkAnswer {
  /** 0: acknowledged. */
  readonly errno: number;
  /** The kernel's explanation (extended acknowledgement), or empty. */
  readonly explanation: string;
}

/** Reads an NLMSG_ERROR; NLMSG_DONE carries the errno in the same place. */
export function decodeAnswer(message: ReceivedMessage): NetlinkAnswer {
  const view = new DataView(message.body.buffer, message.body.byteOffset, message.body.byteLength);
  const errno = message.body.length >= 4 ? -view.getInt32(0, true) : 0;
  if (message.type !== NLMSG_ERROR || !(message.flags & NLM_F_ACK_TLVS)) return { errno, explanation: "" };
  // The refused message follows, whole unless capped; attributes come after it.
  const echoed = message.flags & NLM_F_CAPPED ? HEADER_BYTES : (view.getUint32(4, true) + 3) & ~3;
  const explanation = decodeAttributes(message.body.subarray(4 + echoed)).get(NLMSGERR_ATTR_MSG);
  return { errno, explanation: explanation ? decodeString(explanation) : "" };
}
