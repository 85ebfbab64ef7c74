/**
 * The frames between the command line's front and the engine that runs a command for it: a type, a length (u32,
 * little endian), a payload. C's side is front/protocol.h; docs/front-protocol.md tells what follows what.
 */
import { invalidParameter } from "../errors/platform-error.ts";

const headerLength = 5;
const maxPayloadBytes = 1 << 20;

/** Frames of the front. */
export type FrontFrameType = "hello" | "input" | "signal" | "size";

/** Frames of the engine. */
export type EngineFrameType =
  | "output"
  | "error"
  | "read"
  | "take"
  | "release"
  | "raw"
  | "cooked"
  | "exit"
  | "decline";

const frontTypes: Readonly<Record<number, FrontFrameType>> = {
  [code("H")]: "hello",
  [code("I")]: "input",
  [code("S")]: "signal",
  [code("W")]: "size",
};

const engineCodes: Readonly<Record<EngineFrameType, number>> = {
  output: code("O"),
  error: code("E"),
  read: code("R"),
  take: code("T"),
  release: code("t"),
  raw: code("M"),
  cooked: code("m"),
  exit: code("X"),
  decline: code("D"),
};

function code(letter: string): number {
  return letter.charCodeAt(0);
}

/** As much as the front takes in one frame. */
export const maxOutputBytes = 64 * 1024;

export function encodeEngineFrame(type: EngineFrameType, payload: Uint8Array = nothing): Uint8Array {
  const frame = Buffer.allocUnsafe(headerLength + payload.length);
  frame[0] = engineCodes[type];
  frame.writeUInt32LE(payload.length, 1);
  frame.set(payload, headerLength);
  return frame;
}

const nothing = new Uint8Array(0);

/** Takes the front's bytes in any pieces. Errors: InvalidParameter for what is no frame. */
export class FrontFrameDecoder {
  private rest: Uint8Array = nothing;

  constructor(private readonly onFrame: (type: FrontFrameType, payload: Uint8Array) => void) {}

  push(chunk: Uint8Array): void {
    let bytes = this.rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.rest, chunk]);
    for (;;) {
      if (bytes.length < headerLength) break;
      const type = frontTypes[bytes[0] ?? 0];
      const length = bytes.readUInt32LE(1);
      if (type === undefined || length > maxPayloadBytes) throw invalidParameter("not a frame of the front");
      if (bytes.length < headerLength + length) break;
      this.onFrame(type, bytes.subarray(headerLength, headerLength + length));
      bytes = bytes.subarray(headerLength + length);
    }
    this.rest = bytes;
  }
}

/** What the front tells of itself first. */
export interface Hello {
  /** Which build it belongs to: only the same one speaks for it. */
  readonly buildId: string;
  /** Its working directory; empty when it has none any more. */
  readonly cwd: string;
  /** Docker's `config.json` seems to keep a login. */
  readonly hasLogin: boolean;
  readonly terminals: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Undefined when standard output is no terminal. */
  readonly size: { readonly rows: number; readonly columns: number } | undefined;
  /** Without the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Errors: InvalidParameter for one that is not whole. */
export function parseHello(payload: Uint8Array): Hello {
  const fields = Buffer.from(payload).toString().split("\0");
  const [buildId = "", cwd = "", login, stdin, stdout, stderr, rows, columns, count] = fields;
  const argvEnd = fixedFields + Number(count);
  if (!Number.isInteger(argvEnd) || fields.length <= argvEnd)
    throw invalidParameter("the front's hello is cut off");
  const size = stdout === "1" ? { rows: Number(rows), columns: Number(columns) } : undefined;
  return {
    buildId,
    cwd,
    hasLogin: login !== "0",
    terminals: { stdin: stdin === "1", stdout: stdout === "1", stderr: stderr === "1" },
    size,
    argv: fields.slice(fixedFields, argvEnd),
    env: Object.fromEntries(fields.slice(argvEnd, -1).flatMap(environmentEntry)),
  };
}

const fixedFields = 9;

function environmentEntry(entry: string): [string, string][] {
  const equals = entry.indexOf("=");
  return equals < 1 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]];
}
