import { unavailable } from "../errors/platform-error.ts";
import { ByteWriter } from "../kernel/byte-writer.ts";
import type { ExecRequest, StdioOptions } from "./contract.ts";
import { type Failure, messageType, stdioFlag, streamBit } from "./protocol.ts";

/**
 * Messages of the shim's socket (docs/helper-protocol.md, "Socket protocol"): writing requests, reading events and
 * answers. Pure.
 */
export type ShimMessage =
  | { readonly type: "created"; readonly process: number; readonly pid: number }
  | { readonly type: "started"; readonly process: number; readonly pid: number; readonly atNs: bigint }
  | {
      readonly type: "exited";
      readonly process: number;
      readonly exitCode: number;
      readonly signal: number;
      readonly atNs: bigint;
      readonly execId: string;
    }
  | { readonly type: "failed"; readonly tag: number; readonly process: number; readonly failure: Failure }
  | { readonly type: "ok"; readonly tag: number; readonly payload: Buffer }
  | { readonly type: "error"; readonly tag: number; readonly errno: number; readonly text: string };

const HEADER_BYTES = 8;

function message(type: number, tag: number, write: (out: ByteWriter) => void, capacity = 64): Uint8Array {
  const out = new ByteWriter(capacity).u32(0).u16(type).u16(tag);
  write(out);
  return out.setU32(0, out.length - HEADER_BYTES).finish();
}

export const subscribeMessage = (tag: number) => message(messageType.subscribe, tag, () => {});

export const startMessage = (tag: number, process: number) =>
  message(messageType.start, tag, (out) => out.u32(process));

export const closeStdinMessage = (tag: number, process: number) =>
  message(messageType.closeStdin, tag, (out) => out.u32(process));

export const signalMessage = (tag: number, process: number, signal: number) =>
  message(messageType.signal, tag, (out) => out.u32(process).u32(signal));

export const resizeMessage = (tag: number, process: number, rows: number, columns: number) =>
  message(messageType.resize, tag, (out) => out.u32(process).u16(rows).u16(columns));

export const execMessage = (tag: number, request: ExecRequest, plan: Uint8Array) =>
  message(
    messageType.exec,
    tag,
    (out) => out.u16(stdioFlags(request.stdio)).string(request.execId).bytes(plan),
    plan.length + 256,
  );

export function attachMessage(
  tag: number,
  process: number,
  options: { stdin: boolean; stdout: boolean; stderr: boolean; framed: boolean },
): Uint8Array {
  const streams =
    (options.stdin ? streamBit.stdin : 0) |
    (options.stdout ? streamBit.stdout : 0) |
    (options.stderr ? streamBit.stderr : 0);
  return message(messageType.attach, tag, (out) => out.u32(process).u8(streams).boolean(options.framed));
}

export function stdioFlags(stdio: StdioOptions): number {
  return (
    (stdio.tty ? stdioFlag.tty : 0) |
    (stdio.openStdin ? stdioFlag.openStdin : 0) |
    (stdio.stdinOnce ? stdioFlag.stdinOnce : 0)
  );
}

/** Cuts a stream of bytes into messages; keeps what is incomplete. */
export class MessageReader {
  #pending: Buffer = Buffer.alloc(0);

  /** Every message that is complete with this chunk. Errors: Unavailable when the peer speaks something else. */
  push(chunk: Uint8Array): ShimMessage[] {
    const messages: ShimMessage[] = [];
    let rest = this.#pending.length ? Buffer.concat([this.#pending, chunk]) : Buffer.from(chunk);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32LE(0);
      if (rest.length < end) break;
      messages.push(parse(rest.readUInt16LE(4), rest.readUInt16LE(6), rest.subarray(HEADER_BYTES, end)));
      rest = rest.subarray(end);
    }
    this.#pending = rest;
    return messages;
  }
}

function parse(type: number, tag: number, payload: Buffer): ShimMessage {
  try {
    return parsePayload(type, tag, payload);
  } catch (cause) {
    if (cause instanceof RangeError) throw unavailable(`message ${type} of the shim is malformed`, { cause });
    throw cause;
  }
}

function parsePayload(type: number, tag: number, payload: Buffer): ShimMessage {
  switch (type) {
    case messageType.created:
      return { type: "created", process: payload.readUInt32LE(0), pid: payload.readUInt32LE(4) };
    case messageType.started:
      return {
        type: "started",
        process: payload.readUInt32LE(0),
        pid: payload.readUInt32LE(4),
        atNs: payload.readBigUInt64LE(8),
      };
    case messageType.exited:
      return {
        type: "exited",
        process: payload.readUInt32LE(0),
        exitCode: payload.readInt32LE(4),
        signal: payload.readInt32LE(8),
        atNs: payload.readBigUInt64LE(12),
        execId: readString(payload, 20),
      };
    case messageType.failed:
      return {
        type: "failed",
        tag,
        process: payload.readUInt32LE(0),
        failure: {
          stepIndex: payload.readUInt32LE(4),
          errno: payload.readInt32LE(8),
          detail: readString(payload, 12),
        },
      };
    case messageType.ok:
      return { type: "ok", tag, payload };
    case messageType.error:
      return { type: "error", tag, errno: payload.readInt32LE(0), text: readString(payload, 4) };
    default:
      throw unavailable(`the shim sent a message of unknown type ${type}`);
  }
}

function readString(payload: Buffer, at: number): string {
  const length = payload.readUInt32LE(at);
  if (at + 4 + length > payload.length) throw new RangeError("string is longer than its message");
  return payload.toString("utf8", at + 4, at + 4 + length);
}
