/**
 * Netlink attributes (netlink(7); struct nlattr): u16 length with the header, u16 type, value, padding to four
 * bytes. Numbers are in host byte order, which is little endian on every machine gantry runs on, except those
 * of nf_tables: the `be*` builders.
 */
const HEADER_BYTES = 4;
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

const padded = (length: number): number => (length + 3) & ~3;

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function encode(type: number, value: Uint8Array): Uint8Array {
  const length = HEADER_BYTES + value.length;
  if (length > 0xffff)
    throw new RangeError(`netlink attribute ${type & TYPE_MASK} is longer than 65535 bytes`);
  const bytes = new Uint8Array(padded(length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, length, true);
  view.setUint16(2, type, true);
  bytes.set(value, HEADER_BYTES);
  return bytes;
}

function encodeNumber(type: number, size: number, write: (view: DataView) => void): Uint8Array {
  const value = new Uint8Array(size);
  write(new DataView(value.buffer));
  return encode(type, value);
}

/** Builders; each returns the encoded attribute. */
export const attribute = {
  u8: (type: number, value: number) => encodeNumber(type, 1, (view) => view.setUint8(0, value)),
  u16: (type: number, value: number) => encodeNumber(type, 2, (view) => view.setUint16(0, value, true)),
  u32: (type: number, value: number) => encodeNumber(type, 4, (view) => view.setUint32(0, value, true)),
  be16: (type: number, value: number) => encodeNumber(type, 2, (view) => view.setUint16(0, value)),
  be32: (type: number, value: number) => encodeNumber(type, 4, (view) => view.setUint32(0, value)),
  be64: (type: number, value: bigint) => encodeNumber(type, 8, (view) => view.setBigUint64(0, value)),
  bytes: encode,
  /** NUL-terminated. */
  string: (type: number, value: string) => encode(type, new TextEncoder().encode(`${value}\0`)),
  nested: (type: number, children: readonly Uint8Array[]) => encode(type | NESTED, concat(children)),
};

/** The attributes in `bytes` by type; of a type that occurs twice the last one, of a broken tail nothing. */
export function decodeAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  return new Map(listAttributes(bytes));
}

/** All of them in their order, for lists whose elements have the same type. */
export function listAttributes(bytes: Uint8Array): [type: number, value: Uint8Array][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: [number, Uint8Array][] = [];
  for (let offset = 0; offset + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint16(offset, true);
    if (length < HEADER_BYTES || offset + length > bytes.length) break;
    const type = view.getUint16(offset + 2, true) & TYPE_MASK;
    found.push([type, bytes.subarray(offset + HEADER_BYTES, offset + length)]);
    offset += padded(length);
  }
  return found;
}

/** Value of a string attribute, without its NUL. */
export function decodeString(value: Uint8Array): string {
  const end = value.indexOf(0);
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
}

/** Value of a u32 attribute in host byte order. */
export function decodeU32(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0, true);
}
