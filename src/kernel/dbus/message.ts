import { systemError } from "../../errors/platform-error.ts";
import { marshal } from "./marshal.ts";
import { unmarshal } from "./unmarshal.ts";
import type { DBusValue } from "./values.ts";
import { isVariant, type Variant, variant } from "./values.ts";

const messageTypes = ["call", "reply", "error", "signal"] as const; // from 1 on

export interface DBusMessage {
  readonly type: (typeof messageTypes)[number];
  /** Numbers of the sender's own; 0 is none. */
  readonly serial: number;
  /** Serial of the call which a reply or an error answers. */
  readonly replySerial?: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly destination?: string;
  readonly sender?: string;
  /** Of the body. */
  readonly signature: string;
  readonly body: readonly DBusValue[];
}

type FieldName = "path" | "interface" | "member" | "errorName" | "replySerial" | "destination" | "sender";

/** "Header Fields": code and type. */
const fields: readonly (readonly [FieldName, number, string])[] = [
  ["path", 1, "o"],
  ["interface", 2, "s"],
  ["member", 3, "s"],
  ["errorName", 4, "s"],
  ["replySerial", 5, "u"],
  ["destination", 6, "s"],
  ["sender", 7, "s"],
];
const signatureField = 8;

const protocolVersion = 1;
const littleEndian = "l".charCodeAt(0);
const bigEndian = "B".charCodeAt(0);
const fixedHeaderBytes = 16;
const maximumMessageBytes = 128 << 20;

/** A whole message. Pure. Spec: D-Bus Specification, "Message Format". */
export function encodeMessage(message: DBusMessage): Uint8Array {
  const body = marshal(message.signature, message.body);
  const present = fields.flatMap(([name, code, type]) => {
    const value = message[name];
    return value === undefined ? [] : [[code, variant(type, value)]];
  });
  if (message.signature !== "") present.push([signatureField, variant("g", message.signature)]);
  const header = marshal("yyyyuua(yv)", [
    ...[littleEndian, messageTypes.indexOf(message.type) + 1, 0, protocolVersion],
    ...[body.length, message.serial, present],
  ]);
  const bytes = new Uint8Array(aligned(header.length) + body.length);
  bytes.set(header);
  bytes.set(body, aligned(header.length));
  return bytes;
}

const aligned = (length: number) => Math.ceil(length / 8) * 8;

/** Bytes of the message that begins here; undefined while too few are there to tell. Errors: System for something else. */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < fixedHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = isLittle(bytes);
  const length = aligned(fixedHeaderBytes + view.getUint32(12, little)) + view.getUint32(4, little); // fields, body
  if (length > maximumMessageBytes) throw systemError("malformed D-Bus message: it is too long");
  return length;
}

function isLittle([order]: Uint8Array): boolean {
  if (order !== littleEndian && order !== bigEndian)
    throw systemError("malformed D-Bus message: it has no byte order");
  return order === littleEndian;
}

/** `bytes` is one whole message. Errors: System for a malformed one. */
export function decodeMessage(bytes: Uint8Array): DBusMessage {
  const little = isLittle(bytes);
  const [, typeNumber, , , bodyLength, serial, list] = unmarshal("yyyyuua(yv)", bytes, little);
  const type = messageTypes[Number(typeNumber) - 1];
  if (type === undefined || !Array.isArray(list)) throw systemError("malformed D-Bus message");
  const byCode = new Map(list.map((entry) => [(entry as readonly DBusValue[])[0], heldValue(entry)]));
  const signature = String(byCode.get(signatureField) ?? "");
  const named = fields.flatMap(([name, code]) => (byCode.has(code) ? [[name, byCode.get(code)]] : []));
  return {
    ...(Object.fromEntries(named) as Pick<DBusMessage, FieldName>),
    type,
    serial: Number(serial),
    signature,
    body: unmarshal(signature, bytes.subarray(bytes.length - Number(bodyLength)), little),
  };
}

const heldValue = (entry: DBusValue): DBusValue => {
  const held = (entry as readonly DBusValue[])[1] as Variant;
  return isVariant(held) ? held.value : held;
};
