import type { ByteString } from "./byte-string.ts";
import { tarError } from "./tar-error.ts";

/** Keywords and values of extended headers; an empty value takes a keyword back. POSIX pax, "Extended Header". */
export type PaxRecords = Map<ByteString, ByteString>;

const namesInPax = new Set(["path", "linkpath", "uname", "gname"]);

/** Parses the body of an extended header: `LENGTH KEYWORD=VALUE\n`, where LENGTH counts the whole record. */
export function parsePaxRecords(body: ByteString): PaxRecords {
  const records: PaxRecords = new Map();
  let at = 0;
  while (at < body.length) {
    const { keyword, value, end } = parseRecord(body, at);
    if (sparsePairs.has(keyword)) append(records, "GNU.sparse.map", value);
    else records.set(keyword, value);
    at = end;
  }
  return records;
}

/** Repeated for each part of a sparse file (PAX 0.0): in their order they are the map of PAX 0.1. */
const sparsePairs = new Set(["GNU.sparse.offset", "GNU.sparse.numbytes"]);

function append(records: PaxRecords, keyword: string, value: string): void {
  const before = records.get(keyword);
  records.set(keyword, before === undefined ? value : `${before},${value}`);
}

function parseRecord(body: ByteString, start: number): { keyword: string; value: string; end: number } {
  const space = body.indexOf(" ", start);
  const digits = space < 0 ? "" : body.slice(start, space);
  const end = /^[1-9]\d{0,7}$/.test(digits) ? start + Number(digits) : 0;
  const equals = body.indexOf("=", space);
  if (end > body.length || equals <= space + 1 || equals >= end || body[end - 1] !== "\n") {
    throw tarError("pax", "malformed record in an extended header");
  }
  const keyword = body.slice(space + 1, equals);
  const value = body.slice(equals + 1, end - 1);
  // A NUL would cut a name short in every system call: what was checked would not be what is made.
  if (keyword.includes("\0") || (namesInPax.has(keyword) && value.includes("\0"))) {
    throw tarError("pax", `NUL in the extended header record ${JSON.stringify(keyword)}`);
  }
  return { keyword, value, end };
}

/** The body of an extended header, sorted by keyword so that the same records give the same bytes. */
export function formatPaxRecords(records: ReadonlyMap<ByteString, ByteString>): ByteString {
  return [...records]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([keyword, value]) => formatRecord(keyword, value))
    .join("");
}

function formatRecord(keyword: ByteString, value: ByteString): ByteString {
  const rest = ` ${keyword}=${value}\n`;
  // The length counts its own digits, which may make it one digit longer.
  let length = rest.length + String(rest.length).length;
  length = rest.length + String(length).length;
  return `${length}${rest}`;
}
