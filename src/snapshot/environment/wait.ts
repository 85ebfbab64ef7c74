import type { SyscallArgument } from "../../kernel/addon-contract.ts";
import { nr } from "../../kernel/syscall.ts";
import { host } from "../host.ts";
import { deliverSignals, signalDescriptor } from "./watch-signals.ts";

const POLLIN = 1;
const POLLFD_BYTES = 8;
const EINTR = 4;
const SIGNAL_SET_BYTES = 8;

/**
 * `syscallAsync` of a process with one thread: the call is made at once. The one that is used to wait, ppoll(2) without a
 * timeout, waits for signals as well, and comes back to its caller when one was delivered, as if it had been interrupted.
 */
export function waitingSyscall(number: number, ...args: SyscallArgument[]): number {
  const [table, count] = args;
  if (
    number !== nr.ppoll ||
    signalDescriptor() < 0 ||
    !(table instanceof Uint8Array) ||
    typeof count !== "number"
  )
    return host().syscall(number, ...args);
  return pollWithSignals(table, count);
}

function pollWithSignals(table: Uint8Array, count: number): number {
  const both = new Uint8Array((count + 1) * POLLFD_BYTES);
  both.set(table);
  const view = new DataView(both.buffer);
  view.setInt32(count * POLLFD_BYTES, signalDescriptor(), true);
  view.setInt16(count * POLLFD_BYTES + 4, POLLIN, true);
  const ready = host().syscall(nr.ppoll, both, count + 1, null, null, SIGNAL_SET_BYTES);
  if (ready < 0) return ready;
  const signalled = view.getInt16(count * POLLFD_BYTES + 6, true) !== 0;
  if (signalled) deliverSignals();
  table.set(both.subarray(0, table.length));
  return signalled && ready === 1 ? -EINTR : ready - (signalled ? 1 : 0);
}
