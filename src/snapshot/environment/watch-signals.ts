import { nr } from "../../kernel/syscall.ts";
import { host } from "../host.ts";

const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIGNAL_SET_BYTES = 8;
const SFD_NONBLOCK = 0o4000;
const SFD_CLOEXEC = 0o2000000;
const SIGINFO_BYTES = 128;

type Handler = (signal: number) => void;

/**
 * In the place of src/kernel/watch-signals.ts. Signals with a handler are blocked, and wait in a signalfd(2) until this process
 * waits for something (`wait.ts`): what Bun does with its event loop.
 */
const handlers = new Map<number, Set<Handler>>();
let signalFd = -1;

export function watchSignals(signals: ReadonlyMap<string, number>, handler: Handler): () => void {
  const numbers = [...signals.values()];
  for (const number of numbers) handlers.set(number, (handlers.get(number) ?? new Set()).add(handler));
  block(SIG_BLOCK, numbers);
  updateDescriptor();
  return () => {
    for (const number of numbers) handlers.get(number)?.delete(handler);
    const unwatched = numbers.filter((number) => handlers.get(number)?.size === 0);
    for (const number of unwatched) handlers.delete(number);
    updateDescriptor();
    block(SIG_UNBLOCK, unwatched);
  };
}

/** Readable when a signal waits; -1 as long as nobody wanted one. */
export const signalDescriptor = (): number => signalFd;

/** Calls the handlers of every signal that waits. */
export function deliverSignals(): void {
  const info = new Uint8Array(SIGINFO_BYTES);
  const view = new DataView(info.buffer);
  while (host().syscall(nr.read, signalFd, info, info.length) === SIGINFO_BYTES) {
    const signal = view.getUint32(0, true);
    for (const handler of [...(handlers.get(signal) ?? [])]) handler(signal);
  }
}

function updateDescriptor(): void {
  const flags = SFD_NONBLOCK | SFD_CLOEXEC;
  signalFd = host().syscall(nr.signalfd4, signalFd, maskOf(handlers.keys()), SIGNAL_SET_BYTES, flags);
}

function block(how: number, signals: Iterable<number>): void {
  host().syscall(nr.rt_sigprocmask, how, maskOf(signals), null, SIGNAL_SET_BYTES);
}

/** The kernel's sigset_t: signal N is bit N-1, and none of these is above 32. */
function maskOf(signals: Iterable<number>): Uint8Array {
  const mask = new Uint32Array(2);
  for (const signal of signals) mask[0] = (mask[0] ?? 0) | (1 << (signal - 1));
  return new Uint8Array(mask.buffer);
}
