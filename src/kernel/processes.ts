import { addon } from "./addon.ts";
import { errnoNumber } from "./errno.ts";
import { call, check, nr } from "./syscall.ts";

const WNOHANG = 1;
const ESRCH = errnoNumber("ESRCH") ?? 3;
const EINTR = errnoNumber("EINTR") ?? 4;

/** How a child ended: an exit code, or the signal that killed it. */
export type ChildStatus =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "killed"; readonly signal: number };

/** Returns false when the process is gone already. Signal 0 only asks. */
export function sendSignal(pid: number, signal: number): boolean {
  const result = addon.syscall(nr.kill, pid, signal);
  if (result === -ESRCH) return false;
  check(result, `send signal ${signal} to process ${pid}`);
  return true;
}

/** A descriptor that means this process even if its number is used again; close it when done. */
export function openPidfd(pid: number): number {
  return call("pidfd_open", `open process ${pid}`, pid, 0);
}

/** Returns false when the process is gone already. */
export function sendSignalByPidfd(pidfd: number, signal: number): boolean {
  const result = addon.syscall(nr.pidfd_send_signal, pidfd, signal, null, 0);
  if (result === -ESRCH) return false;
  check(result, `send signal ${signal} to the process of descriptor ${pidfd}`);
  return true;
}

/** Reaps a child of this process if it has ended; undefined while it runs. */
export function reapChild(pid: number): ChildStatus | undefined {
  const status = new Int32Array(1);
  const what = `wait for process ${pid}`;
  const reaped = call("wait4", what, pid, new Uint8Array(status.buffer), WNOHANG, null);
  return reaped === 0 ? undefined : childStatus(status[0] ?? 0);
}

/** Waits for a child of addon.spawn and reaps it. Holds a thread of the pool: for children that end soon. */
export async function waitForChild(pid: number): Promise<ChildStatus> {
  const status = new Int32Array(1);
  const bytes = new Uint8Array(status.buffer);
  for (;;) {
    const result = await addon.syscallAsync(nr.wait4, pid, bytes, 0, null);
    if (result === -EINTR) continue;
    check(result, `wait for process ${pid}`);
    return childStatus(status[0] ?? 0);
  }
}

/** Decodes the word of wait(2). */
export function childStatus(word: number): ChildStatus {
  const signal = word & 0x7f;
  return signal === 0 ? { kind: "exited", exitCode: (word >> 8) & 0xff } : { kind: "killed", signal };
}
