import { invalidParameter } from "../errors/platform-error.ts";

/** Bytes for one UTF-16 unit. */
const LONGEST_UTF8 = 3;

/**
 * Little-endian binary in one growing buffer, in the types of docs/helper-protocol.md.
 * `finish` hands the bytes out without copying them: the writer is done with then.
 */
export class ByteWriter {
  private buffer: Buffer;
  private view: DataView;
  private at = 0;

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafe(capacity);
    this.view = viewOf(this.buffer);
  }

  get length(): number {
    return this.at;
  }

  u8(value: number): this {
    const at = this.take(1);
    this.view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.take(2);
    this.view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.take(4);
    this.view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    const at = this.take(8);
    this.view.setBigUint64(at, value, true);
    return this;
  }

  f64(value: number): this {
    const at = this.take(8);
    this.view.setFloat64(at, value, true);
    return this;
  }

  /** A safe integer as i64. */
  number(value: number): this {
    const at = this.take(8);
    this.view.setUint32(at, value, true); // its lower half, of negative ones too
    this.view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true);
    return this;
  }

  boolean(value: boolean | undefined): this {
    return this.u8(value ? 1 : 0);
  }

  /** Length, bytes, NUL. Errors: InvalidParameter for a NUL inside, where the kernel would end the string. */
  string(value: string): this {
    if (value.includes("\0")) throw invalidParameter(`${JSON.stringify(value)} contains a NUL character`);
    const at = this.take(value.length * LONGEST_UTF8 + 5);
    const length = this.buffer.write(value, at + 4);
    this.view.setUint32(at, length, true);
    this.view.setUint8(at + 4 + length, 0);
    this.at = at + length + 5;
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
    const at = this.take(value.length);
    this.buffer.set(value, at);
    return this;
  }

  /** Zeros up to a multiple of `boundary`. */
  align(boundary: number): this {
    while (this.at % boundary !== 0) this.u8(0);
    return this;
  }

  /** Writes a length that was not known at `position` before. */
  setU32(position: number, value: number): this {
    this.view.setUint32(position, value, true);
    return this;
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  /** Makes room for `bytes` more. Out: where they go. */
  private take(bytes: number): number {
    const at = this.at;
    this.at = at + bytes;
    if (this.at > this.buffer.length) this.grow(at);
    return at;
  }

  private grow(used: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at));
    this.buffer.copy(larger, 0, 0, used);
    this.buffer = larger;
    this.view = viewOf(larger);
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);
