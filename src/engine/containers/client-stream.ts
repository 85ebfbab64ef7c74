import type { Readable, Writable } from "node:stream";

/** A client's end of an attach or exec: what it types, and where it sees the output. */
export interface ClientStream {
  readonly input: Readable;
  readonly output: Writable;
  /** Ends the connection in both directions; a second call does nothing. */
  close(): void;
}
