import { invalidParameter } from "../errors/platform-error.ts";

/** Bytes for one UTF-16 unit. */
const LONGEST_UTF8 = 3;

/**
 * Little-endian binary in one growing buffer, in the types of docs/helper-protocol.md.
 * `finish` hands the bytes out without copying them: the writer is done with then.
 */
export class ByteWriter {
  private buffer: Buffer;
  private at = 0;

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.at;
  }

  u8(value: number): this {
    this.reserve(1);
    this.buffer[this.at++] = value;
    return this;
  }

  u16(value: number): this {
    this.reserve(2);
    this.buffer[this.at++] = value;
    this.buffer[this.at++] = value >>> 8;
    return this;
  }

  u32(value: number): this {
    this.reserve(4);
    this.put32(value);
    return this;
  }

  u64(value: bigint): this {
    this.reserve(8);
    this.put32(Number(value & 0xffffffffn));
    this.put32(Number(value >> 32n));
    return this;
  }

  f64(value: number): this {
    this.reserve(8);
    this.at = this.buffer.writeDoubleLE(value, this.at);
    return this;
  }

  /** A safe integer as i64. */
  number(value: number): this {
    this.reserve(8);
    this.put32(value); // the lower half, of negative ones too
    this.put32(Math.floor(value / 0x1_0000_0000));
    return this;
  }

  boolean(value: boolean | undefined): this {
    return this.u8(value ? 1 : 0);
  }

  /** Length, bytes, NUL. Errors: InvalidParameter for a NUL inside, where the kernel would end the string. */
  string(value: string): this {
    if (value.includes("\0")) throw invalidParameter(`${JSON.stringify(value)} contains a NUL character`);
    this.reserve(value.length * LONGEST_UTF8 + 5);
    const length = this.buffer.write(value, this.at + 4);
    this.put32(length);
    this.at += length + 1;
    this.buffer[this.at - 1] = 0;
    return this;
  }

  strings(values: readonly string[]): this {
    this.u32(values.length);
    for (const value of values) this.string(value);
    return this;
  }

  /** Length, bytes. */
  bytes(value: Uint8Array): this {
    return this.u32(value.length).raw(value);
  }

  raw(value: Uint8Array): this {
    this.reserve(value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
    return this;
  }

  /** Zeros up to a multiple of `boundary`. */
  align(boundary: number): this {
    while (this.at % boundary !== 0) this.u8(0);
    return this;
  }

  /** Writes a length that was not known at `position` before. */
  setU32(position: number, value: number): this {
    const end = this.at;
    this.at = position;
    this.put32(value);
    this.at = end;
    return this;
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  /** The lower 32 bits, where there is room. */
  private put32(value: number): void {
    const { buffer, at } = this;
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
    buffer[at + 2] = value >>> 16;
    buffer[at + 3] = value >>> 24;
    this.at = at + 4;
  }

  private reserve(more: number): void {
    if (this.at + more <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + more));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}
