/** Sparse files as GNU tar writes them: its own header, and the PAX formats 0.0, 0.1 and 1.0. */
import { quoted } from "./byte-string.ts";
import { parseDecimal, parseNumber } from "./parse-number.ts";
import type { PaxRecords } from "./pax-records.ts";
import { blockSize } from "./tar-entry.ts";
import { tarError } from "./tar-error.ts";

/** A part of a sparse file that the archive has; between and behind them are holes. */
export interface Fragment {
  readonly offset: number;
  readonly size: number;
}

/** What headers say of a sparse file. */
export interface SparseFile {
  /** With its holes. */
  readonly realSize: number;
  /** Undefined: they stand before the content (PAX 1.0). */
  readonly fragments: Fragment[] | undefined;
  /** Old GNU: another block with fragments follows the header. */
  readonly isContinued: boolean;
}

/** A file on ext4 has at most so many extents of one block that are worth it; more is an attack on memory. */
const maxFragments = 1_000_000;

const fragmentBytes = 24;
const inHeader = { at: 386, count: 4, isContinuedAt: 482, realSizeAt: 483 };
const inContinuation = { at: 0, count: 21, isContinuedAt: 504 };

/** GNU tar manual, "Old GNU Format": struct oldgnu_header. */
export function oldGnuSparse(header: Uint8Array): SparseFile {
  return {
    realSize: parseNumber(header, inHeader.realSizeAt, 12, "real size"),
    ...fragmentsAt(header, inHeader),
  };
}

/** With those of a block that follows, added in place: there may be thousands of such blocks. struct sparse_header. */
export function continuedSparse(sparse: SparseFile, block: Uint8Array): SparseFile {
  const { fragments, isContinued } = fragmentsAt(block, inContinuation);
  const all = sparse.fragments ?? [];
  if (all.push(...fragments) > maxFragments) throw tooMany();
  return { ...sparse, fragments: all, isContinued };
}

function fragmentsAt(
  block: Uint8Array,
  { at, count, isContinuedAt }: { at: number; count: number; isContinuedAt: number },
): { fragments: Fragment[]; isContinued: boolean } {
  const fragments: Fragment[] = [];
  for (let index = 0; index < count; index++) {
    const start = at + index * fragmentBytes;
    // Unused ones are zero; one of size 0 at the end of the file is not.
    if (block[start] === 0 && block[start + 12] === 0) break;
    fragments.push({
      offset: parseNumber(block, start, 12, "sparse offset"),
      size: parseNumber(block, start + 12, 12, "sparse size"),
    });
  }
  return { fragments, isContinued: block[isContinuedAt] !== 0 };
}

/**
 * Undefined for a file that is not sparse. GNU tar manual, "Storing Sparse Files": 0.0 and 0.1 have the map in
 * records, 1.0 before the content.
 */
export function paxSparse(records: PaxRecords): SparseFile | undefined {
  const record = (name: string) => records.get(`GNU.sparse.${name}`) || undefined;
  const major = record("major") ?? "0";
  const [map, size] = [record("map"), record("realsize") ?? record("size")];
  if (map === undefined && size === undefined && !records.has("GNU.sparse.major")) return undefined;
  if (major !== "0" && !(major === "1" && (record("minor") ?? "0") === "0")) {
    throw tarError("sparse", `sparse format ${major}.${record("minor") ?? "0"} is not supported`);
  }
  if (size === undefined) throw tarError("sparse", "sparse file without its size");
  const realSize = parseDecimal(size, "size of a sparse file");
  if (major === "1") return { realSize, fragments: undefined, isContinued: false };
  const numbers = (map ?? "").split(",").filter(Boolean);
  return { realSize, fragments: pairs(numbers), isContinued: false };
}

/** The name of a sparse file where the header has one that tells other readers of it. */
export const sparseName = (records: PaxRecords): string | undefined =>
  records.get("GNU.sparse.name") || undefined;

function pairs(numbers: readonly string[]): Fragment[] {
  if (numbers.length % 2 !== 0) throw tarError("sparse", "sparse map with an offset that has no size");
  if (numbers.length / 2 > maxFragments) throw tooMany();
  return Array.from({ length: numbers.length / 2 }, (_, at) => ({
    offset: parseDecimal(numbers[2 * at] ?? "", "sparse offset"),
    size: parseDecimal(numbers[2 * at + 1] ?? "", "sparse size"),
  }));
}

/** The map before the content of PAX 1.0: their number, then offsets and sizes, a line each, in whole blocks. */
export class SparseMapReader {
  private readonly numbers: string[] = [];
  private line = "";
  bytes = 0;

  /** The fragments, when this was the last block of them. */
  push(block: Buffer): Fragment[] | undefined {
    this.bytes += blockSize;
    const lines = (this.line + block.toString("latin1")).split("\n");
    this.line = lines.pop() ?? "";
    for (const line of lines) {
      this.numbers.push(line);
      const [first = "", ...rest] = this.numbers.length === this.wanted() ? this.numbers : [];
      if (first !== "") return pairs(rest);
    }
    // A number is short; without an end of line there is none.
    if (this.line.length > blockSize) throw tarError("sparse", "sparse map that is no list of numbers");
    return undefined;
  }

  private wanted(): number {
    const count = parseDecimal(this.numbers[0] ?? "", "number of sparse fragments");
    if (count < 0 || count > maxFragments) throw tooMany();
    return 1 + 2 * count;
  }
}

const tooMany = () => tarError("sparse", `sparse file of more than ${maxFragments} fragments`);

/** Errors: fragments that overlap, go backwards or beyond the end, or are not what the archive has. */
export function checkFragments(
  path: string,
  { realSize, fragments = [] }: SparseFile,
  storedBytes: number,
): void {
  const bad = (what: string) => tarError("sparse", `${quoted(path)}: sparse file ${what}`);
  if (realSize < 0) throw bad("of a negative size");
  let [end, total] = [0, 0];
  for (const { offset, size } of fragments) {
    if (size < 0 || offset < end) throw bad("whose parts overlap");
    end = offset + size;
    total += size;
  }
  if (end > realSize) throw bad("with a part beyond its end");
  if (total !== storedBytes) throw bad(`with ${storedBytes} bytes where its map says ${total}`);
}
