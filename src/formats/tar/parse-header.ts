import type { ByteString } from "./byte-string.ts";
import { parseNumber } from "./parse-number.ts";
import { blockSize } from "./tar-entry.ts";
import { tarError } from "./tar-error.ts";

/** One header block as it stands in the archive, before extended headers are applied. */
export interface TarHeader {
  /** One character; NUL for the oldest regular files. */
  readonly typeFlag: string;
  readonly path: ByteString;
  readonly linkPath: ByteString;
  /** With the file type bits, if the writer left them in. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/**
 * Parses a header block in the forms v7, ustar and old GNU.
 *
 * In:     a block of 512 bytes that is not all zero.
 * Errors: InvalidParameter for a wrong checksum or a malformed number.
 * Spec:   POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 */
export function parseHeader(block: Buffer): TarHeader {
  verifyChecksum(block);
  const magic = block.toString("latin1", 257, 263);
  const isUstar = magic === "ustar\0";
  const hasDevices = isUstar || magic === "ustar ";
  const name = cString(block, 0, 100);
  // Old GNU headers keep times where ustar keeps the prefix.
  const prefix = isUstar ? cString(block, 345, 155) : "";
  return {
    typeFlag: String.fromCharCode(block[156] ?? 0),
    path: prefix === "" ? name : `${prefix}/${name}`,
    linkPath: cString(block, 157, 100),
    mode: parseNumber(block, 100, 8, "mode"),
    uid: parseNumber(block, 108, 8, "uid"),
    gid: parseNumber(block, 116, 8, "gid"),
    size: parseNumber(block, 124, 12, "size"),
    mtimeSeconds: parseNumber(block, 136, 12, "mtime"),
    deviceMajor: hasDevices ? parseNumber(block, 329, 8, "device major") : 0,
    deviceMinor: hasDevices ? parseNumber(block, 337, 8, "device minor") : 0,
  };
}

function cString(block: Buffer, start: number, length: number): ByteString {
  let end = start;
  while (end < start + length && block[end] !== 0) end++;
  return block.toString("latin1", start, end);
}

/** The sum of all bytes, with the checksum field read as spaces. Some old writers summed signed chars. */
function verifyChecksum(block: Uint8Array): void {
  const stored = storedChecksum(block);
  let unsigned = 0;
  let high = 0;
  for (let at = 0; at < blockSize; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    high += byte >> 7;
  }
  if (stored !== unsigned && stored !== unsigned - 256 * high) {
    throw tarError("checksum", "header checksum does not match: not a tar archive, or a corrupt one");
  }
}

/** What is no number at all is no checksum of a tar header either. */
function storedChecksum(block: Uint8Array): number | undefined {
  try {
    return parseNumber(block, 148, 8, "checksum");
  } catch {
    return undefined;
  }
}
