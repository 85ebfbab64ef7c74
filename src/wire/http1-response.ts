/**
 * A push parser for HTTP/1.1 responses.
 * Spec: RFC 9112, sections 4 (status line), 6.3 (message body length), 7.1 (chunked).
 */
import { systemError } from "../errors/platform-error.ts";

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; a repeated header is joined with ", ". */
  readonly headers: ReadonlyMap<string, string>;
}

export interface ParsedHead extends ResponseHead {
  /** `Not Found`; may be empty. */
  readonly statusText: string;
}

export interface ResponseSink {
  head(head: ParsedHead): void;
  /** Shares memory with the chunk pushed. */
  body(bytes: Uint8Array): void;
  /** The message is complete; the connection may carry the next one. */
  end(): void;
}

export interface ExpectedResponse {
  /** A reply to HEAD has no body whatever its headers say. */
  readonly headRequest: boolean;
  /** The request asked for an upgrade: 101, or 200 without a length, turns into raw bytes until close. */
  readonly upgrade: boolean;
}

const maxHeadLength = 64 * 1024;

type Phase =
  | "idle"
  | "head"
  | "length"
  | "chunk-size"
  | "chunk-data"
  | "chunk-end"
  | "trailers"
  | "until-close";

export class Http1ResponseParser {
  private phase: Phase = "idle";
  private expected: ExpectedResponse = { headRequest: false, upgrade: false };
  private line: Uint8Array = new Uint8Array(0);
  private remaining = 0;

  constructor(private readonly sink: ResponseSink) {}

  /** Call before each request is sent. */
  expect(expected: ExpectedResponse): void {
    this.expected = expected;
    this.phase = "head";
  }

  /** Errors: System for what is no HTTP/1.1. */
  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.step(rest);
  }

  /** The peer closed its side. Errors: System when it did so within a message. */
  finish(): void {
    if (this.phase === "until-close") {
      this.phase = "idle";
      this.sink.end();
    } else if (this.phase !== "idle") {
      throw systemError("the server closed the connection in the middle of an answer", {
        code: "http.cut",
      });
    }
  }

  private step(chunk: Uint8Array): Uint8Array {
    switch (this.phase) {
      case "idle":
        throw systemError("bytes came that no request asked for");
      case "head":
        return this.takeHead(chunk);
      case "length":
      case "chunk-data":
        return this.takeCounted(chunk);
      case "until-close":
        this.sink.body(chunk);
        return empty;
      default:
        return this.takeLine(chunk);
    }
  }

  private takeHead(chunk: Uint8Array): Uint8Array {
    const { before, after } = this.cut(chunk, headEnd, maxHeadLength);
    if (before === undefined) return after;
    const head = parseHead(latin1(before));
    if (head.status < 200 && head.status !== 101) return after; // interim answer; the real one follows
    this.sink.head(head);
    this.beginBody(head);
    return after;
  }

  private beginBody(head: ResponseHead): void {
    const length = head.headers.get("content-length");
    const bodiless = head.status === 204 || head.status === 304 || this.expected.headRequest;
    if (head.status === 101 || (this.expected.upgrade && head.status === 200)) this.phase = "until-close";
    else if (bodiless) this.complete();
    else if (head.headers.get("transfer-encoding")?.toLowerCase().endsWith("chunked"))
      this.phase = "chunk-size";
    else if (length === undefined) this.phase = "until-close";
    else this.beginCounted("length", parseCount(length, 10));
  }

  private beginCounted(phase: "length" | "chunk-data", count: number): void {
    this.phase = phase;
    this.remaining = count;
    if (count === 0) this.complete();
  }

  private takeCounted(chunk: Uint8Array): Uint8Array {
    const piece = chunk.subarray(0, this.remaining);
    this.remaining -= piece.length;
    this.sink.body(piece);
    if (this.remaining === 0) {
      if (this.phase === "length") this.complete();
      else this.phase = "chunk-end";
    }
    return chunk.subarray(piece.length);
  }

  private takeLine(chunk: Uint8Array): Uint8Array {
    const { before, after } = this.cut(chunk, lineEnd, 8192);
    if (before === undefined) return after;
    const line = latin1(before).trim();
    if (this.phase === "chunk-size") {
      const size = parseCount(line.split(";")[0] ?? "", 16);
      if (size === 0) this.phase = "trailers";
      else this.beginCounted("chunk-data", size);
    } else if (this.phase === "chunk-end") {
      if (line !== "") throw systemError("malformed chunk in the answer");
      this.phase = "chunk-size";
    } else if (line === "") this.complete(); // other trailers are of no interest
    return after;
  }

  private complete(): void {
    this.phase = "idle";
    this.sink.end();
  }

  /** Bytes up to and including `mark`, which may have begun in earlier chunks. */
  private cut(chunk: Uint8Array, mark: string, limit: number) {
    const joined = this.line.length === 0 ? chunk : Buffer.concat([this.line, chunk]);
    const at = Buffer.from(joined.buffer, joined.byteOffset, joined.length).indexOf(mark, 0, "latin1");
    if (at < 0) {
      if (joined.length > limit) throw systemError("a header in the answer is too long");
      this.line = joined.slice();
      return { before: undefined, after: empty };
    }
    this.line = empty;
    return { before: joined.subarray(0, at), after: joined.subarray(at + mark.length) };
  }
}

const headEnd = "\r\n\r\n";
const lineEnd = "\n";
const empty = new Uint8Array(0);

const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

function parseHead(text: string): ParsedHead {
  const lines = text.split("\r\n");
  const [, status, statusText = ""] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(lines[0] ?? "") ?? [];
  if (status === undefined) throw systemError(`not an HTTP answer: ${(lines[0] ?? "").slice(0, 60)}`);
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw systemError(`malformed header in the answer: ${line.slice(0, 60)}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return { status: Number(status), statusText: statusText.trim(), headers };
}

function parseCount(text: string, radix: 10 | 16): number {
  const pattern = radix === 10 ? /^\d{1,15}$/ : /^[0-9a-fA-F]{1,12}$/;
  const digits = text.trim();
  if (!pattern.test(digits)) throw systemError(`malformed length in the answer: ${text}`);
  return Number.parseInt(digits, radix);
}
