import { tarError } from "./tar-error.ts";

const zero = 0x30;
const seven = 0x37;
const space = 0x20;

/**
 * A numeric field of a header: octal digits between spaces and NULs, or base-256 (first bit set; two's
 * complement, big endian) as GNU tar writes what octal cannot hold. An empty field is 0.
 */
export function parseNumber(block: Uint8Array, start: number, length: number, field: string): number {
  const first = block[start] ?? 0;
  return first & 0x80 ? parseBase256(block, start, length, field) : parseOctal(block, start, length, field);
}

function parseOctal(block: Uint8Array, start: number, length: number, field: string): number {
  const end = start + length;
  let at = start;
  while (at < end && isBlank(block[at])) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = block[at] ?? 0;
    if (isBlank(digit)) break;
    if (digit < zero || digit > seven) throw tarError("number", `${field} is not an octal number`);
    value = value * 8 + (digit - zero);
  }
  for (; at < end; at++) {
    if (!isBlank(block[at])) throw tarError("number", `${field} is not an octal number`);
  }
  return value;
}

const isBlank = (byte: number | undefined): boolean => byte === space || byte === 0;

function parseBase256(block: Uint8Array, start: number, length: number, field: string): number {
  const first = block[start] ?? 0;
  const negative = (first & 0x40) !== 0;
  // The first bit only marks the form; the sign is extended from the second.
  let value = BigInt(first & 0x7f) - (negative ? 0x80n : 0n);
  for (let at = start + 1; at < start + length; at++) value = value * 256n + BigInt(block[at] ?? 0);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw tarError("number", `${field} is out of range`);
  return number;
}

/** A decimal integer of a PAX record. */
export function parseDecimal(text: string, field: string): number {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw tarError("number", `${field} is not a number in range`);
  return value;
}

/** A PAX time: decimal seconds with an optional fraction; digits beyond nanoseconds are cut off towards the past. */
export function parsePaxTime(text: string, field: string): { seconds: number; nanoseconds: number } {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (!match) throw tarError("number", `${field} is not a time`);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] !== "-") return { seconds, nanoseconds };
  if (nanoseconds === 0) return { seconds: seconds === 0 ? 0 : -seconds, nanoseconds };
  return { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}
