import { getPriority, setPriority } from "node:os";
import { addon } from "./addon.ts";
import { nr } from "./syscall.ts";

/** struct sched_attr of Linux 3.14: size, policy, flags, nice, and what other policies need. */
const attributeBytes = 48;
const offsets = { size: 0, policy: 4, flags: 8, nice: 16 } as const;
const SCHED_OTHER = 0;
const SCHED_FLAG_RESET_ON_FORK = 1n;
/** Far before the crowd, behind what the administrator calls urgent. */
const preferredNice = -10;
/** A third of what an ordinary thread gets beside it. */
const deferredBy = 5;
const lastNice = 19;

/**
 * Lets the calling thread run before others that want its processor: it needs little time, but at once. Threads and
 * processes that it starts are as if this were never called. Nothing happens where the kernel refuses (without
 * CAP_SYS_NICE), and where someone chose a priority for this process already. sched_setattr(2).
 */
export function preferThisThread(): void {
  const chosen = new DataView(new ArrayBuffer(attributeBytes));
  if (addon.syscall(nr.sched_getattr, 0, new Uint8Array(chosen.buffer), attributeBytes, 0) < 0) return;
  const isOrdinary = chosen.getUint32(offsets.policy, true) === SCHED_OTHER;
  if (!isOrdinary || chosen.getInt32(offsets.nice, true) !== 0) return;
  const preferred = new DataView(new ArrayBuffer(attributeBytes));
  preferred.setUint32(offsets.size, attributeBytes, true);
  preferred.setUint32(offsets.policy, SCHED_OTHER, true);
  preferred.setBigUint64(offsets.flags, SCHED_FLAG_RESET_ON_FORK, true);
  preferred.setInt32(offsets.nice, preferredNice, true);
  addon.syscall(nr.sched_setattr, 0, new Uint8Array(preferred.buffer), 0);
}

/**
 * Lets the calling thread run behind others that want its processor: it has much to do, and nobody waits for the next millisecond of it.
 * What somebody waits for is, besides the engine's own thread, the collector of its garbage, which has threads of its own, and
 * whoever asks the engine. setpriority(2), which on Linux is about one thread.
 */
export function deferThisThread(): void {
  setPriority(Math.min(getPriority() + deferredBy, lastNice));
}
