import { host } from "../host.ts";

/**
 * UTF-8 by the front's C. Its strings end at a NUL, so text with one goes through in pieces.
 */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  if (!text.includes("\0")) return new Uint8Array(host().encode(text));
  const parts = text.split("\0").map((part) => new Uint8Array(host().encode(part)));
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 1, -1));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length + 1;
  }
  return joined;
}

/** Out: bytes written to `bytes` from `offset` on; a text longer than `length` is cut. */
export function encodeInto(text: string, bytes: Uint8Array, offset: number, length: number): number {
  if (!text.includes("\0")) return host().encodeInto(text, bytes, offset, length);
  const encoded = encode(text).subarray(0, length);
  bytes.set(encoded, offset);
  return encoded.length;
}

/** What is malformed becomes U+FFFD. */
export function decode(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  if (end < 0) return host().decode(bytes);
  const parts: string[] = [];
  let start = 0;
  for (let next = end; next >= 0; next = bytes.indexOf(0, start)) {
    parts.push(host().decode(bytes.subarray(start, next)));
    start = next + 1;
  }
  return [...parts, host().decode(bytes.subarray(start))].join("\0");
}

const BOM = "\uFEFF";

export class TextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array<ArrayBuffer> {
    return encode(text);
  }
}

export class TextDecoder {
  readonly encoding = "utf-8";
  private readonly fatal: boolean;
  private readonly ignoreBOM: boolean;

  constructor(_label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  decode(input: ArrayBuffer | Uint8Array = new Uint8Array()): string {
    const bytes = input instanceof ArrayBuffer ? new Uint8Array(input) : input;
    const text = decode(bytes);
    // Only well-formed text comes out as the bytes that went in.
    if (this.fatal && text.includes("\uFFFD") && !isSame(encode(text), bytes))
      throw new TypeError("The encoded data was not valid utf-8");
    return !this.ignoreBOM && text.startsWith(BOM) ? text.slice(BOM.length) : text;
  }
}

const isSame = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);
