import type { Addon } from "../kernel/addon-contract.ts";

/**
 * What the front gives to the program in its snapshot (front/snapshot/host.c): functions in C, there from the start of a
 * command on. While the snapshot is made there are none of them.
 */
export interface Host
  extends Omit<Addon, "syscallAsync" | "address" | "makeNetns" | "makeNetnsAsync" | "netlinkSocketIn"> {
  /** Where the bytes are: below 2^53. */
  address(bytes: Uint8Array): number;
  /** The number of words of the command line, and one of them. */
  argumentCount(): number;
  argument(index: number): string;
  /** `NAME=value`; undefined behind the last one. */
  environment(index: number): string | undefined;
  /** UTF-8 of `text` up to its first NUL; the bytes are the caller's. */
  encode(text: string): ArrayBuffer;
  /** Writes UTF-8 of `text` up to its first NUL to `bytes` from `offset` on, at most `length`. Out: bytes written. */
  encodeInto(text: string, bytes: Uint8Array, offset: number, length: number): number;
  /** UTF-8 up to the first NUL; what is malformed becomes U+FFFD. */
  decode(bytes: Uint8Array): string;
  /** Nanoseconds of CLOCK_MONOTONIC, in milliseconds. */
  monotonic(): number;
  /** `delete --force` in C: 1 when it is done, 0 when the container needs more than that. */
  deleteNatively(root: string, id: string): number;
}

declare global {
  var gantryHost: Host;
}

export const host = (): Host => globalThis.gantryHost;
