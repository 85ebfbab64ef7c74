/**
 * The wire form of Protocol Buffers, as far as small messages of known fields need it: varints and length-delimited values.
 * Spec: Protocol Buffers, "Encoding".
 */

/** A field's number, and what it holds: numbers and booleans are varints, the others length-delimited. */
export type ProtobufField = readonly [field: number, value: boolean | number | string | Uint8Array];

/** Values of a field by its number, in the order in which they came: a bigint for a varint. */
export type ProtobufMessage = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** Pure. A negative number is written as int32 and int64 are: in 64 bits. */
export function encodeProtobuf(fields: readonly ProtobufField[]): Uint8Array {
  const bytes: number[] = [];
  for (const [field, value] of fields) {
    if (typeof value === "number" || typeof value === "boolean") {
      pushVarint(bytes, BigInt((field << 3) | VARINT));
      pushVarint(bytes, BigInt.asUintN(64, BigInt(value)));
    } else {
      const content = typeof value === "string" ? Buffer.from(value) : value;
      pushVarint(bytes, BigInt((field << 3) | DELIMITED));
      pushVarint(bytes, BigInt(content.length));
      bytes.push(...content);
    }
  }
  return Uint8Array.from(bytes);
}

function pushVarint(bytes: number[], value: bigint): void {
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
}

/** Pure. Fixed-width values are skipped. Errors: RangeError for bytes that are no message. */
export function decodeProtobuf(bytes: Uint8Array): ProtobufMessage {
  const message = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new RangeError("protobuf message is cut off");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const [byte = 0] = take(1);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("protobuf varint is too long");
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const type = key & 7;
    const values = message.get(key >> 3) ?? [];
    message.set(key >> 3, values);
    if (type === VARINT) values.push(BigInt.asIntN(64, varint()));
    else if (type === DELIMITED) values.push(take(Number(varint())));
    else if (type === FIXED64 || type === FIXED32) take(type === FIXED64 ? 8 : 4);
    else throw new RangeError(`protobuf wire type ${type} is not known`);
  }
  return message;
}
