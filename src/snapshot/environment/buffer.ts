import { Buffer as Complete } from "node:buffer";
import { host } from "../host.ts";
import { decode, encode, encodeInto } from "./text.ts";

/**
 * Buffer: Bun's for browsers, which is complete but slow in an interpreter, with the methods that matter written for it. Text is
 * the front's work.
 */
class FastBuffer extends Uint8Array {
  write(text: string, offset = 0, length = this.length - offset): number {
    return text.includes("\0")
      ? encodeInto(text, this, offset, length)
      : host().encodeInto(text, this, offset, length);
  }

  override toString(encoding?: BufferEncoding, start = 0, end = this.length): string {
    const part = this.subarray(start, end);
    if (isUtf8(encoding)) return decode(part);
    if (encoding === "latin1") {
      const text = decode(part);
      // As many characters as bytes, and none of them malformed: all of it is ASCII, which is both.
      if (text.length === part.length && !text.includes("\uFFFD")) return text;
    }
    return Complete.from(part.buffer, part.byteOffset, part.length).toString(encoding);
  }

  override indexOf(value: number | string | Uint8Array, from = 0): number {
    return typeof value === "number"
      ? super.indexOf(value, from)
      : Complete.prototype.indexOf.call(this, value, from);
  }

  readUInt16LE(at = 0): number {
    return byte(this, at) | (byte(this, at + 1) << 8);
  }

  readUInt32LE(at = 0): number {
    return this.readInt32LE(at) >>> 0;
  }

  readInt32LE(at = 0): number {
    return (
      byte(this, at) | (byte(this, at + 1) << 8) | (byte(this, at + 2) << 16) | (byte(this, at + 3) << 24)
    );
  }
}

const isUtf8 = (encoding: unknown): boolean =>
  encoding === undefined || encoding === "utf8" || encoding === "utf-8";

function byte(bytes: Uint8Array, at: number): number {
  const value = bytes[at];
  if (value === undefined) throw new RangeError("Attempt to access memory outside buffer bounds");
  return value;
}

for (const name of Object.getOwnPropertyNames(Complete.prototype)) {
  const method = Object.getOwnPropertyDescriptor(Complete.prototype, name);
  if (method !== undefined && !Object.hasOwn(FastBuffer.prototype, name))
    Object.defineProperty(FastBuffer.prototype, name, method);
}

function from(
  value: string | ArrayBuffer | ArrayLike<number>,
  encoding?: unknown,
  length?: number,
): Uint8Array {
  if (value instanceof ArrayBuffer) return new FastBuffer(value, encoding as number | undefined, length);
  if (typeof value !== "string") return new FastBuffer(value);
  const {
    buffer,
    byteOffset,
    length: bytes,
  } = isUtf8(encoding) ? encode(value) : Complete.from(value, encoding as BufferEncoding);
  return new FastBuffer(buffer, byteOffset, bytes);
}

function alloc(size: number, fill = 0): Uint8Array {
  return fill === 0 ? new FastBuffer(size) : new FastBuffer(size).fill(fill);
}

function concat(list: readonly Uint8Array[]): Uint8Array {
  const joined = new FastBuffer(list.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of list) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export const Buffer = Object.assign(FastBuffer, {
  from,
  alloc,
  allocUnsafe: (size: number): Uint8Array => new FastBuffer(size),
  concat,
  byteLength: (text: string): number => encode(text).length,
  isBuffer: (value: unknown): boolean => value instanceof FastBuffer,
}) as unknown as typeof Complete;
