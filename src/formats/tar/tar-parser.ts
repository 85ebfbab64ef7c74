import { type ByteString, quoted } from "./byte-string.ts";
import { parseHeader, type TarHeader } from "./parse-header.ts";
import { type PaxRecords, parsePaxRecords } from "./pax-records.ts";
import { mergeRecords, resolveEntry } from "./resolve-entry.ts";
import {
  checkFragments,
  continuedSparse,
  oldGnuSparse,
  paxSparse,
  type SparseFile,
  SparseMapReader,
} from "./sparse.ts";
import { blockSize, paddingOf, type TarEntry } from "./tar-entry.ts";
import { tarError } from "./tar-error.ts";

/** Receives an archive in order. What it throws ends the parsing. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** A part of the content of the last entry, never empty: a view of the pushed chunk, valid only during the call. */
  content(slice: Uint8Array): void;
  /** So many zeros of a sparse file; who has no use for holes gets them as content. */
  hole?(sizeBytes: number): void;
  /** After the last part; also for entries without content. */
  entryEnd(): void;
}

/** Long names and extended headers are kept in memory; this bounds them. */
const maxMetadataBytes = 1024 * 1024;
/** Global records are looked at again for every entry. */
const maxGlobalRecords = 100;

type State = "header" | "content" | "padding" | "metadata" | "skip" | "sparse-header" | "sparse-map" | "end";

const zeros = new Uint8Array(64 * 1024);

/** A sparse file whose fragments are being found, or read. */
interface SparseContent {
  readonly entry: TarEntry;
  file: SparseFile;
  /** Of the archive, that are still to come. */
  storedBytes: number;
  readonly map: SparseMapReader;
  /** How many fragments were begun, and how much of the file is there. */
  next: number;
  position: number;
}

/**
 * A streaming reader: chunks of any size are pushed in, entries and slices of their content come out at once,
 * without copying content. It understands v7, ustar, GNU (long names, base-256 numbers) and PAX (also global
 * headers), and sparse files of both.
 *
 * Errors: InvalidParameter with code `tar.*`; the parser is unusable afterwards.
 */
export class TarParser {
  #state: State = "header";
  /** Bytes that the current state still has to see. */
  #remaining = 0;
  #padding = 0;
  /** A header block, or the metadata of an extended header, that is spread over chunks. */
  #gathered = Buffer.allocUnsafe(blockSize);
  #gatheredBytes = 0;
  #metadataType = "";
  #zeroBlocks = 0;
  #longPath: ByteString | undefined;
  #longLinkPath: ByteString | undefined;
  #globalRecords: PaxRecords = new Map();
  #records: PaxRecords | undefined;
  #sparse: SparseContent | undefined;

  constructor(private readonly handler: TarHandler) {}

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length && this.#state !== "end") at = this.#step(bytes, at);
  }

  /**
   * No more bytes will come. An archive may end without the two zero blocks and the padding before them, as some
   * writers leave them out (digests guard against cuts just there); anywhere else the end is an error.
   */
  end(): void {
    const betweenEntries =
      this.#state === "padding" || (this.#state === "header" && this.#gatheredBytes === 0);
    if (this.#state !== "end" && (!betweenEntries || this.#hasPendingMetadata()))
      throw tarError("truncated", "archive is truncated");
  }

  #hasPendingMetadata(): boolean {
    return (this.#longPath ?? this.#longLinkPath ?? this.#records) !== undefined;
  }

  /** Consumes some bytes from `at`; returns where it stopped. */
  #step(bytes: Buffer, at: number): number {
    if (this.#state === "header") return this.#gatherHeader(bytes, at);
    const end = Math.min(bytes.length, at + this.#remaining);
    if (this.#state === "content") this.handler.content(bytes.subarray(at, end));
    else if (this.#state === "metadata" || this.#sparseBlock)
      this.#gatheredBytes += bytes.copy(this.#gathered, this.#gatheredBytes, at, end);
    this.#remaining -= end - at;
    if (this.#remaining === 0) this.#finishState();
    return end;
  }

  get #sparseBlock(): boolean {
    return this.#state === "sparse-header" || this.#state === "sparse-map";
  }

  #gatherHeader(bytes: Buffer, at: number): number {
    if (this.#gatheredBytes === 0 && bytes.length - at >= blockSize) {
      this.#header(bytes.subarray(at, at + blockSize));
      return at + blockSize;
    }
    const end = Math.min(bytes.length, at + blockSize - this.#gatheredBytes);
    this.#gatheredBytes += bytes.copy(this.#gathered, this.#gatheredBytes, at, end);
    if (this.#gatheredBytes === blockSize) {
      this.#gatheredBytes = 0;
      this.#header(this.#gathered.subarray(0, blockSize));
    }
    return end;
  }

  #finishState(): void {
    const finished = this.#state;
    if (this.#sparseBlock) {
      this.#finishSparseBlock();
      return;
    }
    if (finished === "content" && this.#nextFragment()) return;
    if (finished === "content") this.handler.entryEnd();
    if (finished === "metadata")
      this.#finishMetadata(this.#gathered.toString("latin1", 0, this.#gatheredBytes));
    if (finished !== "padding" && this.#padding > 0) {
      this.#state = "padding";
      this.#remaining = this.#padding;
    } else {
      this.#state = "header";
    }
  }

  #header(block: Buffer): void {
    if (block[0] === 0 && isZero(block)) {
      if (++this.#zeroBlocks === 2) this.#state = "end";
      return;
    }
    if (this.#zeroBlocks > 0) throw tarError("zero-block", "a lone zero block inside the archive");
    const header = parseHeader(block);
    if (header.size < 0) throw tarError("number", `negative size of ${quoted(header.path)}`);
    if ("xgLK".includes(header.typeFlag)) this.#beginMetadata(header);
    else if (header.typeFlag === "V")
      this.#begin("skip", header.size); // a volume label is no file
    else this.#entry(header, block);
  }

  #begin(state: State, size: number): void {
    this.#remaining = size;
    this.#padding = paddingOf(size);
    this.#state = size > 0 ? state : "header";
  }

  #beginMetadata(header: TarHeader): void {
    if (header.size > maxMetadataBytes)
      throw tarError("metadata-size", "extended header is larger than 1 MiB");
    if (header.size > this.#gathered.length) this.#gathered = Buffer.allocUnsafe(maxMetadataBytes);
    this.#metadataType = header.typeFlag;
    this.#begin("metadata", header.size);
    if (header.size === 0) this.#finishMetadata("");
  }

  #finishMetadata(body: ByteString): void {
    this.#gatheredBytes = 0;
    switch (this.#metadataType) {
      case "L":
        this.#longPath = untilNul(body);
        break;
      case "K":
        this.#longLinkPath = untilNul(body);
        break;
      case "x":
        this.#records = parsePaxRecords(body);
        break;
      default:
        this.#addGlobalRecords(parsePaxRecords(body));
    }
  }

  #addGlobalRecords(records: PaxRecords): void {
    for (const [keyword, value] of records) this.#globalRecords.set(keyword, value);
    if (this.#globalRecords.size > maxGlobalRecords) {
      throw tarError("metadata-size", `more than ${maxGlobalRecords} records in global extended headers`);
    }
  }

  #entry(header: TarHeader, block: Buffer): void {
    const records = mergeRecords(this.#globalRecords, this.#records);
    const entry = resolveEntry(header, { path: this.#longPath, linkPath: this.#longLinkPath, records });
    const sparse = header.typeFlag === "S" ? oldGnuSparse(block) : records && paxSparse(records);
    this.#longPath = undefined;
    this.#longLinkPath = undefined;
    this.#records = undefined;
    if (sparse !== undefined && entry.type === "file") {
      this.#beginSparse(entry, sparse);
      return;
    }
    this.handler.entry(entry);
    if (entry.size === 0) this.handler.entryEnd();
    this.#begin("content", entry.size);
  }

  #beginSparse(entry: TarEntry, file: SparseFile): void {
    const [storedBytes, map] = [entry.size, new SparseMapReader()];
    this.#sparse = { entry, file, storedBytes, map, next: 0, position: 0 };
    if (file.isContinued) this.#awaitBlock("sparse-header");
    else if (file.fragments === undefined) this.#awaitBlock("sparse-map");
    else this.#beginFragments(this.#sparse);
  }

  #awaitBlock(state: "sparse-header" | "sparse-map"): void {
    this.#gatheredBytes = 0;
    this.#state = state;
    this.#remaining = blockSize;
    this.#padding = 0;
  }

  #finishSparseBlock(): void {
    const sparse = this.#sparse;
    if (sparse === undefined) throw new Error("no sparse file is being read");
    const block = this.#gathered.subarray(0, blockSize);
    this.#gatheredBytes = 0;
    const next = this.#state === "sparse-header" ? takeContinuation(sparse, block) : takeMap(sparse, block);
    if (next === "complete") this.#beginFragments(sparse);
    else this.#awaitBlock(next);
  }

  #beginFragments({ entry, file, storedBytes }: SparseContent): void {
    checkFragments(entry.path, file, storedBytes);
    this.handler.entry({ ...entry, size: file.realSize });
    this.#padding = paddingOf(storedBytes);
    this.#state = "content";
    this.#remaining = 0;
    if (!this.#nextFragment()) this.#finishState();
  }

  /** False when there is no fragment any more; the hole behind the last one has been given then. */
  #nextFragment(): boolean {
    const sparse = this.#sparse;
    if (sparse === undefined) return false;
    const { fragments = [], realSize } = sparse.file;
    for (let part = fragments[sparse.next++]; part !== undefined; part = fragments[sparse.next++]) {
      this.#hole(part.offset - sparse.position);
      sparse.position = part.offset + part.size;
      if (part.size === 0) continue;
      this.#state = "content";
      this.#remaining = part.size;
      return true;
    }
    this.#hole(realSize - sparse.position);
    this.#sparse = undefined;
    return false;
  }

  #hole(sizeBytes: number): void {
    if (sizeBytes === 0) return;
    const isTaken = this.handler.hole !== undefined;
    this.handler.hole?.(sizeBytes);
    for (let left = isTaken ? 0 : sizeBytes; left > 0; left -= zeros.length) {
      this.handler.content(left < zeros.length ? zeros.subarray(0, left) : zeros);
    }
  }
}

type AfterBlock = "complete" | "sparse-header" | "sparse-map";

function takeContinuation(sparse: SparseContent, block: Buffer): AfterBlock {
  sparse.file = continuedSparse(sparse.file, block);
  return sparse.file.isContinued ? "sparse-header" : "complete";
}

function takeMap(sparse: SparseContent, block: Buffer): AfterBlock {
  sparse.storedBytes -= blockSize;
  const fragments = sparse.map.push(block);
  if (fragments !== undefined) {
    sparse.file = { ...sparse.file, fragments };
    return "complete";
  }
  if (sparse.storedBytes > 0) return "sparse-map";
  throw tarError("sparse", `${quoted(sparse.entry.path)}: cut sparse map`);
}

function untilNul(body: ByteString): ByteString {
  const nul = body.indexOf("\0");
  return nul < 0 ? body : body.slice(0, nul);
}

function isZero(block: Uint8Array): boolean {
  for (const byte of block) if (byte !== 0) return false;
  return true;
}
