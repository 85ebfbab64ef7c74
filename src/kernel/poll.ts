import { addon } from "./addon.ts";
import { errnoNumber } from "./errno.ts";
import { check, nr } from "./syscall.ts";

/** poll(2). */
export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;

const EINTR = errnoNumber("EINTR") ?? 4;

export interface PollRequest {
  readonly fd: number;
  /** POLLIN, POLLOUT; 0 waits for errors and the end only. */
  readonly events: number;
}

/**
 * Waits until something of the list is ready, holding this thread. Out: what each is ready for (POLL* bits), all 0 after
 * `timeoutMs`; without one it waits for ever.
 */
export function poll(requests: readonly PollRequest[], timeoutMs?: number): number[] {
  const table = pollTable(requests);
  const until = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  for (;;) {
    const left = until === undefined ? null : timespec(Math.max(0, until - performance.now()));
    const result = addon.syscall(nr.ppoll, table, requests.length, left, null, 8);
    if (result === -EINTR) continue;
    check(result, "poll");
    return readiness(table);
  }
}

/** The same on a thread of the pool, so that this one goes on. */
export async function pollAsync(requests: readonly PollRequest[]): Promise<number[]> {
  const table = pollTable(requests);
  for (;;) {
    const result = await addon.syscallAsync(nr.ppoll, table, requests.length, null, null, 8);
    if (result === -EINTR) continue;
    check(result, "poll");
    return readiness(table);
  }
}

/** struct pollfd { int fd; short events; short revents; }; a negative fd is passed over. */
function pollTable(requests: readonly PollRequest[]): Uint8Array {
  const table = new Uint8Array(requests.length * 8);
  const view = new DataView(table.buffer);
  for (const [index, { fd, events }] of requests.entries()) {
    view.setInt32(index * 8, fd, true);
    view.setInt16(index * 8 + 4, events, true);
  }
  return table;
}

function readiness(table: Uint8Array): number[] {
  const view = new DataView(table.buffer);
  return Array.from({ length: table.length / 8 }, (_, index) => view.getInt16(index * 8 + 6, true));
}

function timespec(milliseconds: number): Uint8Array {
  const nanoseconds = BigInt(Math.ceil(milliseconds * 1e6));
  const pair = new BigInt64Array([nanoseconds / 1_000_000_000n, nanoseconds % 1_000_000_000n]);
  return new Uint8Array(pair.buffer);
}
