import { type ByteString, quoted } from "./byte-string.ts";
import { parseHeader, type TarHeader } from "./parse-header.ts";
import { type PaxRecords, parsePaxRecords } from "./pax-records.ts";
import { mergeRecords, resolveEntry } from "./resolve-entry.ts";
import { blockSize, paddingOf, type TarEntry } from "./tar-entry.ts";
import { tarError } from "./tar-error.ts";

/** Receives an archive in order. What it throws ends the parsing. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** A part of the content of the last entry, never empty: a view of the pushed chunk, valid only during the call. */
  content(slice: Uint8Array): void;
  /** After the last part; also for entries without content. */
  entryEnd(): void;
}

/** Long names and extended headers are kept in memory; this bounds them. */
const maxMetadataBytes = 1024 * 1024;
/** Global records are looked at again for every entry. */
const maxGlobalRecords = 100;

type State = "header" | "content" | "padding" | "metadata" | "skip" | "end";

/**
 * A streaming reader: chunks of any size are pushed in, entries and slices of their content come out at once,
 * without copying content. It understands v7, ustar, GNU (long names, base-256 numbers) and PAX (also global
 * headers). Sparse files are refused by name.
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
    else if (this.#state === "metadata")
      this.#gatheredBytes += bytes.copy(this.#gathered, this.#gatheredBytes, at, end);
    this.#remaining -= end - at;
    if (this.#remaining === 0) this.#finishState();
    return end;
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
    else this.#entry(header);
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

  #entry(header: TarHeader): void {
    const entry = resolveEntry(header, {
      path: this.#longPath,
      linkPath: this.#longLinkPath,
      records: mergeRecords(this.#globalRecords, this.#records),
    });
    this.#longPath = undefined;
    this.#longLinkPath = undefined;
    this.#records = undefined;
    this.handler.entry(entry);
    if (entry.size === 0) this.handler.entryEnd();
    this.#begin("content", entry.size);
  }
}

function untilNul(body: ByteString): ByteString {
  const nul = body.indexOf("\0");
  return nul < 0 ? body : body.slice(0, nul);
}

function isZero(block: Uint8Array): boolean {
  for (const byte of block) if (byte !== 0) return false;
  return true;
}
