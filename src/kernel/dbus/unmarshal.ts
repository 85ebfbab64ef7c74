import { systemError } from "../../errors/platform-error.ts";
import { alignmentOf, type BasicCode, type DBusType, parseSignature } from "./signature.ts";
import type { DBusValue } from "./values.ts";

/**
 * The values that `signature` says are in `bytes`, whose first one stands at a multiple of 8. Pure.
 *
 * Errors: System for what is cut off.
 * Spec:   D-Bus Specification, "Marshaling (Wire Format)".
 */
export function unmarshal(signature: string, bytes: Uint8Array, littleEndian = true): DBusValue[] {
  const reader = new Reader(bytes, littleEndian);
  return parseSignature(signature).map((type) => reader.read(type));
}

class Reader {
  #at = 0;
  readonly #view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly little: boolean,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(type: DBusType): DBusValue {
    this.align(alignmentOf(type));
    switch (type.kind) {
      case "basic":
        return this.basic(type.code);
      case "variant":
        return this.variant();
      case "array":
        return this.array(type.element);
      case "struct":
        return type.fields.map((field) => this.read(field));
    }
  }

  private basic(code: BasicCode): DBusValue {
    switch (code) {
      case "y":
        return this.#view.getUint8(this.take(1));
      case "b":
        return this.u32() !== 0;
      case "n":
        return this.#view.getInt16(this.take(2), this.little);
      case "q":
        return this.#view.getUint16(this.take(2), this.little);
      case "i":
        return this.#view.getInt32(this.take(4), this.little);
      case "u":
        return this.u32();
      case "x":
        return this.#view.getBigInt64(this.take(8), this.little);
      case "t":
        return this.#view.getBigUint64(this.take(8), this.little);
      case "d":
        return this.#view.getFloat64(this.take(8), this.little);
      case "s":
      case "o":
        return this.text(this.u32());
      case "g":
        return this.text(this.#view.getUint8(this.take(1)));
    }
  }

  private variant(): DBusValue {
    const signature = this.text(this.#view.getUint8(this.take(1)));
    const [type, ...others] = parseSignature(signature);
    if (type === undefined || others.length > 0) throw malformed();
    return { signature, value: this.read(type) };
  }

  private array(element: DBusType): DBusValue {
    const length = this.u32();
    this.align(alignmentOf(element));
    const start = this.take(length);
    const end = this.#at;
    if (element.kind === "basic" && element.code === "y")
      return new Uint8Array(this.bytes.subarray(start, end));
    this.#at = start;
    const items: DBusValue[] = [];
    while (this.#at < end) items.push(this.read(element));
    if (this.#at !== end) throw malformed();
    return items;
  }

  private u32(): number {
    return this.#view.getUint32(this.take(4), this.little);
  }

  /** With the NUL behind it, which is not part of it. */
  private text(length: number): string {
    const start = this.take(length + 1);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString("utf8");
  }

  private align(boundary: number): void {
    this.take((boundary - (this.#at % boundary)) % boundary);
  }

  /** The position before `count` bytes, which are passed over. */
  private take(count: number): number {
    const start = this.#at;
    if (start + count > this.bytes.length) throw malformed();
    this.#at = start + count;
    return start;
  }
}

const malformed = () => systemError("malformed D-Bus message");
