/**
 * Docker's stream framing ("stdcopy"): an 8-byte header (stream, three zero bytes, payload length as
 * big-endian u32) before each payload. Frames have no relation to lines.
 * Spec: Docker Engine API, "Attach to a container", stream format.
 */
import { systemError } from "../errors/platform-error.ts";

/** 0 is shown as stdout; a frame of stream 3 carries an error text after which nothing may follow. */
export type StdStream = 0 | 1 | 2 | 3;

const headerLength = 8;
const systemErrorStream = 3;

/** One frame. */
export function encodeFrame(stream: StdStream, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerLength + payload.length);
  frame[0] = stream;
  new DataView(frame.buffer).setUint32(4, payload.length);
  frame.set(payload, headerLength);
  return frame;
}

/**
 * Push decoder. Payloads are handed on as they arrive, in pieces where a frame came in pieces, and
 * share memory with the chunk pushed.
 */
export class StdcopyDecoder {
  private readonly header = new Uint8Array(headerLength);
  private headerFill = 0;
  private remaining = 0;
  private stream: StdStream = 1;
  private readonly errorText: Uint8Array[] = [];

  constructor(private readonly onData: (stream: 1 | 2, bytes: Uint8Array) => void) {}

  /** Errors: System for an unknown stream number, and with the peer's text for a system-error frame. */
  push(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.headerFill < headerLength) {
        offset += this.takeHeader(chunk, offset);
      } else {
        const piece = chunk.subarray(offset, offset + this.remaining);
        offset += piece.length;
        this.takePayload(piece);
      }
    }
  }

  /** Call at end of the stream. Errors: System when it was cut within a frame. */
  end(): void {
    if (this.headerFill !== 0) throw systemError("the output stream was cut in the middle of a frame");
  }

  private takeHeader(chunk: Uint8Array, offset: number): number {
    const piece = chunk.subarray(offset, offset + headerLength - this.headerFill);
    this.header.set(piece, this.headerFill);
    this.headerFill += piece.length;
    if (this.headerFill === headerLength) {
      this.stream = streamOf(this.header[0]);
      this.remaining = new DataView(this.header.buffer).getUint32(4);
      if (this.remaining === 0) this.finishFrame();
    }
    return piece.length;
  }

  private takePayload(piece: Uint8Array): void {
    this.remaining -= piece.length;
    if (this.stream === systemErrorStream) this.errorText.push(piece.slice());
    else this.onData(this.stream === 2 ? 2 : 1, piece);
    if (this.remaining === 0) this.finishFrame();
  }

  private finishFrame(): void {
    this.headerFill = 0;
    if (this.stream !== systemErrorStream) return;
    throw systemError(Buffer.concat(this.errorText).toString().trimEnd() || "the engine reported an error");
  }
}

function streamOf(byte: number | undefined): StdStream {
  if (byte === 0 || byte === 1 || byte === 2 || byte === 3) return byte;
  throw systemError(`unrecognized stream in the output: ${byte}`);
}
