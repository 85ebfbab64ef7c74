import { nr } from "../../kernel/syscall.ts";
import { host } from "../host.ts";
import { constants } from "./os.ts";

type Handler = () => void;
type SignalName = keyof typeof constants.signals;

const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIGNAL_SET_BYTES = 8;
const SFD_NONBLOCK = 0o4000;
const SFD_CLOEXEC = 0o2000000;
const SIGINFO_BYTES = 128;

/**
 * `process.on(SIGNAL)`. A signal with a handler is blocked, and waits in a signalfd(2) until this process waits for something
 * (`wait.ts`): what Bun does with its event loop.
 */
const handlers = new Map<number, Set<Handler>>();
let signalFd = -1;

export function on(name: string, handler: Handler): void {
  const signal = numberOf(name);
  const ofSignal = handlers.get(signal) ?? new Set();
  handlers.set(signal, ofSignal.add(handler));
  block(SIG_BLOCK, [signal]);
  signalFd = host().syscall(
    nr.signalfd4,
    signalFd,
    maskOf(handlers.keys()),
    SIGNAL_SET_BYTES,
    SFD_NONBLOCK | SFD_CLOEXEC,
  );
}

export function off(name: string, handler: Handler): void {
  const signal = numberOf(name);
  const ofSignal = handlers.get(signal);
  if (!ofSignal?.delete(handler) || ofSignal.size > 0) return;
  handlers.delete(signal);
  host().syscall(nr.signalfd4, signalFd, maskOf(handlers.keys()), SIGNAL_SET_BYTES, 0);
  block(SIG_UNBLOCK, [signal]);
}

/** Readable when a signal waits; -1 as long as nobody wanted one. */
export const signalDescriptor = (): number => signalFd;

/** Calls the handlers of every signal that waits. */
export function deliverSignals(): void {
  const info = new Uint8Array(SIGINFO_BYTES);
  const view = new DataView(info.buffer);
  while (host().syscall(nr.read, signalFd, info, info.length) === SIGINFO_BYTES)
    for (const handler of [...(handlers.get(view.getUint32(0, true)) ?? [])]) handler();
}

function numberOf(name: string): number {
  const number = constants.signals[name as SignalName];
  if (number === undefined) throw new TypeError(`Unknown signal: ${name}`);
  return number;
}

function block(how: number, signals: Iterable<number>): void {
  host().syscall(nr.rt_sigprocmask, how, maskOf(signals), null, SIGNAL_SET_BYTES);
}

/** The kernel's sigset_t: signal N is bit N-1. */
function maskOf(signals: Iterable<number>): Uint8Array {
  let bits = 0n;
  for (const signal of signals) bits |= 1n << BigInt(signal - 1);
  return new Uint8Array(new BigUint64Array([bits]).buffer);
}
