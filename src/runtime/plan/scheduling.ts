import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciIoPriority, OciMemoryPolicy, OciScheduler } from "../../formats/oci-runtime.ts";
import type { KernelOperation } from "../../kernel/steps.ts";

/** sched_setattr(2). */
const policies: Record<string, number> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

const schedulerFlags: Record<string, number> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};

/** Errors: InvalidParameter for an unknown policy or flag, and for priorities that the policy does not have. */
export function schedulerStep(scheduler: OciScheduler): KernelOperation {
  const policy = policies[scheduler.policy];
  if (policy === undefined)
    throw invalidParameter(`process.scheduler.policy: ${scheduler.policy} is unknown`);
  const { nice = 0, priority = 0 } = scheduler;
  const realtime = policy === policies.SCHED_FIFO || policy === policies.SCHED_RR;
  if (priority !== 0 && !realtime)
    throw invalidParameter(`process.scheduler.priority: ${scheduler.policy} has no priority`);
  if (nice < -20 || nice > 19)
    throw invalidParameter(`process.scheduler.nice: ${nice} is not from -20 to 19`);
  let flags = 0;
  for (const name of scheduler.flags ?? []) {
    const flag = schedulerFlags[name];
    if (flag === undefined) throw invalidParameter(`process.scheduler.flags: ${name} is unknown`);
    flags |= flag;
  }
  return {
    op: "set-scheduler",
    policy,
    flags,
    nice,
    priority,
    runtimeNs: BigInt(scheduler.runtime ?? 0),
    deadlineNs: BigInt(scheduler.deadline ?? 0),
    periodNs: BigInt(scheduler.period ?? 0),
  };
}

/** ioprio_set(2). */
const ioClasses: Record<string, number> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };

export function ioPriorityStep({ class: name, priority = 0 }: OciIoPriority): KernelOperation {
  const number = ioClasses[name];
  if (number === undefined) throw invalidParameter(`process.ioPriority.class: ${name} is unknown`);
  if (priority < 0 || priority > 7)
    throw invalidParameter(`process.ioPriority.priority: ${priority} is not from 0 to 7`);
  return { op: "set-io-priority", class: number, level: priority };
}

/** set_mempolicy(2). */
const memoryModes: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};

const memoryFlags: Readonly<Record<string, number>> = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
};

export const memoryModeNames: readonly string[] = Object.keys(memoryModes);
export const memoryFlagNames: readonly string[] = Object.keys(memoryFlags);

/** Errors: InvalidParameter for an unknown mode or flag, and a malformed list of nodes. */
export function memoryPolicyStep({ mode, nodes = "", flags = [] }: OciMemoryPolicy): KernelOperation {
  const number = memoryModes[mode];
  if (number === undefined) throw invalidParameter(`linux.memoryPolicy.mode: ${mode} is unknown`);
  const mask = flags.reduce((sum, name) => {
    const flag = memoryFlags[name];
    if (flag === undefined) throw invalidParameter(`linux.memoryPolicy.flags: ${name} is unknown`);
    return sum | flag;
  }, number);
  const none = new Uint8Array();
  return {
    op: "set-memory-policy",
    mode: mask,
    nodes: nodes === "" ? none : nodeMask(nodes, "linux.memoryPolicy.nodes"),
  };
}

const maximumCpus = 8192;
const maximumNodes = 1024;

/** As sched_setaffinity(2) takes it. Errors: as `listMask`. */
export const cpuMask = (list: string, place: string): Uint8Array => listMask(list, place, maximumCpus);

/** The same for memory nodes. */
export const nodeMask = (list: string, place: string): Uint8Array => listMask(list, place, maximumNodes);

/**
 * A list like `0-3,8` as a bit mask, little endian.
 * Errors: InvalidParameter for a malformed list or one beyond what the kernel can have.
 */
function listMask(list: string, place: string, maximum: number): Uint8Array {
  const bytes = new Uint8Array(maximum / 8);
  let highest = -1;
  for (const part of list.split(",")) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1] ?? Number.NaN);
    const last = Number(match?.[2] ?? first);
    if (!(first <= last && last < bytes.length * 8))
      throw invalidParameter(`${place}: ${list} is no list like 0-3,8 of what this kernel has`);
    for (let cpu = first; cpu <= last; cpu++) bytes[cpu >> 3] = (bytes[cpu >> 3] ?? 0) | (1 << (cpu & 7));
    highest = Math.max(highest, last);
  }
  return bytes.slice(0, Math.ceil((highest + 1) / 64) * 8);
}
