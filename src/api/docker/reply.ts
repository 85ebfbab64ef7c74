import type { OutgoingHttpHeaders } from "node:http";
import type { ClientStream } from "../../engine/containers/client-stream.ts";
import type { ByteSink } from "./byte-sink.ts";

/** The answer to one request; exactly one of these calls begins it. */
export interface Reply {
  /** One JSON value and a newline. `text` is the same as `jsonText(body)`, for who has it. */
  json(status: number, body: unknown, text?: () => string): void;
  /** A short text; for HEAD the headers alone. */
  text(body: string, headers: OutgoingHttpHeaders): void;
  empty(status: number): void;
  /** Sends the header at once; the body follows as it comes. */
  stream(contentType: string): ByteSink;
  /** Takes the connection over as raw bytes in both directions. engine-api, section 3. */
  hijack(contentType: string): ClientStream;
  /** Whether one of the above was called. */
  readonly begun: boolean;
}

export const jsonText = (body: unknown): string => `${JSON.stringify(body)}\n`;

export const jsonContentType = "application/json";
export const rawStreamType = "application/vnd.docker.raw-stream";
export const multiplexedStreamType = "application/vnd.docker.multiplexed-stream";
export const tarStreamType = "application/x-tar";
