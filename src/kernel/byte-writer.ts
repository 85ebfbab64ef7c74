import { invalidParameter } from "../errors/platform-error.ts";

/**
 * Little-endian binary in one growing buffer, in the types of docs/helper-protocol.md.
 * `finish` hands the bytes out without copying them: the writer is done with then.
 */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#length = this.#bytes.writeUInt16LE(value, this.#length);
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
    return this;
  }

  u64(value: bigint): this {
    this.#reserve(8);
    this.#length = this.#bytes.writeBigUInt64LE(value, this.#length);
    return this;
  }

  f64(value: number): this {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
    return this;
  }

  /** A safe integer as i64. */
  number(value: number): this {
    this.#reserve(8);
    this.#length = this.#bytes.writeBigInt64LE(BigInt(value), this.#length);
    return this;
  }

  boolean(value: boolean | undefined): this {
    return this.u8(value ? 1 : 0);
  }

  /** Length, bytes, NUL. Errors: InvalidParameter for a NUL inside, where the kernel would end the string. */
  string(value: string): this {
    if (value.includes("\0")) throw invalidParameter(`${JSON.stringify(value)} contains a NUL character`);
    const length = Buffer.byteLength(value);
    this.#reserve(length + 5);
    this.#bytes.writeUInt32LE(length, this.#length);
    this.#bytes.write(value, this.#length + 4, length, "utf8");
    this.#length += length + 5;
    this.#bytes[this.#length - 1] = 0;
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
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** Zeros up to a multiple of `boundary`. */
  align(boundary: number): this {
    while (this.#length % boundary !== 0) this.u8(0);
    return this;
  }

  /** Writes a length that was not known at `position` before. */
  setU32(position: number, value: number): this {
    this.#bytes.writeUInt32LE(value, position);
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
