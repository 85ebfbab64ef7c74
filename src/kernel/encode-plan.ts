import { invalidParameter } from "../errors/platform-error.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { HostOperation, KernelStep, MountAttributes, NamespaceType, Phase, Plan } from "./steps.ts";

const VERSION = 1;
const MAX_STEPS = 0xffff;

/** helper/protocol.h has the same numbers. Those of the phase `host` are never encoded. */
export const opcodes = {
  "join-namespace": 10,
  clone: 11,
  "write-id-map": 12,
  "write-time-offset": 13,
  "join-cgroup": 14,
  "unshare-cgroup": 15,
  "set-propagation": 20,
  "open-root": 21,
  mount: 22,
  bind: 23,
  remount: 24,
  "mask-path": 25,
  "readonly-path": 26,
  "pivot-root": 27,
  "make-root-readonly": 28,
  "make-device": 30,
  "bind-device": 31,
  symlink: 32,
  console: 33,
  "set-hostname": 40,
  "set-domainname": 41,
  "set-sysctl": 42,
  "bring-up-loopback": 43,
  hook: 50,
  "new-session": 51,
  "new-keyring": 52,
  "set-oom-score": 53,
  "set-rlimit": 54,
  "set-personality": 55,
  "set-scheduler": 56,
  "set-io-priority": 57,
  "set-cpu-affinity": 58,
  "set-security-label": 59,
  "set-umask": 60,
  "change-directory": 61,
  "make-directory": 62,
  "set-bounding": 63,
  "set-user": 64,
  "set-capabilities": 65,
  "no-new-privileges": 66,
  "load-seccomp": 67,
  exec: 68,
  "set-memory-policy": 69,
} as const;

type HelperStep = Exclude<KernelStep, { op: HostOperation["op"] }>;

const phases: Record<Phase, number> = { host: 0, clone: 1, setup: 2, start: 3 };

/** In the order in which steps.ts names them. */
const namespaces: Record<NamespaceType, number> = {
  mount: 0,
  pid: 1,
  network: 2,
  ipc: 3,
  uts: 4,
  user: 5,
  cgroup: 6,
  time: 7,
};
const deviceKinds = { c: 0, b: 1, p: 2 } as const;

/**
 * Encodes the steps of the helper's phases (docs/helper-protocol.md, "Plan"); those of the phase `host` are left out,
 * but count in the index by which a failing step is reported.
 *
 * Errors: InvalidParameter for a string with a NUL, which no kernel interface can take, and for too many steps.
 */
export function encodePlan(plan: Plan): Uint8Array {
  const out = new ByteWriter(16384);
  out.raw(Buffer.from("GPLN")).u16(VERSION).u16(0);
  let count = 0;
  for (const [index, step] of plan.steps.entries()) {
    if (!isHelperStep(step)) continue;
    count++;
    encodeStep(out, step, index);
  }
  if (count > MAX_STEPS)
    throw invalidParameter(`the plan has ${count} steps; at most ${MAX_STEPS} are possible`);
  const bytes = out.finish();
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(6, count, true);
  return bytes;
}

function isHelperStep(step: KernelStep): step is HelperStep & KernelStep {
  return step.op in opcodes;
}

function encodeStep(out: ByteWriter, step: HelperStep, index: number): void {
  out.u16(opcodes[step.op]).u8(phases[step.phase]).u8(0).u32(index).u32(0);
  const start = out.length;
  encodeFields(out, step);
  out.setU32(start - 4, out.length - start);
}

function attributes(out: ByteWriter, value: MountAttributes): ByteWriter {
  return out.number(value.set).number(value.clear);
}

function optionalString(out: ByteWriter, value: string | undefined): ByteWriter {
  return value === undefined ? out.u8(0) : out.u8(1).string(value);
}

function optionalIdMap(out: ByteWriter, map: { uid: string; gid: string } | undefined): ByteWriter {
  return map ? out.u8(1).string(map.uid).string(map.gid) : out.u8(0);
}

function numbers(out: ByteWriter, values: readonly number[]): ByteWriter {
  out.u32(values.length);
  for (const value of values) out.number(value);
  return out;
}

function words(out: ByteWriter, values: readonly NamespaceType[]): ByteWriter {
  out.u32(values.length);
  for (const value of values) out.u8(namespaces[value]);
  return out;
}

/** The operation's fields, in the order of steps.ts. */
function encodeFields(out: ByteWriter, step: HelperStep): ByteWriter {
  switch (step.op) {
    case "join-namespace":
      return out.u8(namespaces[step.namespace]).string(step.path);
    case "clone":
      return words(out, step.namespaces);
    case "write-id-map":
      return optionalString(out.u8(step.kind === "uid" ? 0 : 1).string(step.map), step.tool);
    case "write-time-offset":
      return out
        .u8(step.clock === "monotonic" ? 0 : 1)
        .number(step.secs)
        .number(step.nanosecs);
    case "join-cgroup":
      return out.string(step.file);
    case "set-propagation":
      return out.string(step.target).number(step.flags);
    case "open-root":
      return out.string(step.source);
    case "mount":
      return out
        .string(step.fstype)
        .string(step.source)
        .string(step.target)
        .number(step.attributes)
        .strings(step.data)
        .boolean(step.copyUp);
    case "bind":
      out
        .string(step.source)
        .string(step.target)
        .u8(step.targetKind === "directory" ? 0 : 1);
      attributes(out.boolean(step.recursive), step.attributes);
      return optionalIdMap(out.boolean(step.attributesRecursive).number(step.propagation), step.idMap);
    case "remount":
      return attributes(out.string(step.target), step.attributes).boolean(step.recursive);
    case "mask-path":
    case "readonly-path":
      return out.string(step.path);
    case "pivot-root":
      return out.u8(step.method === "pivot" ? 0 : 1);
    case "make-device":
      out.string(step.path).u8(deviceKinds[step.kind]).number(step.major).number(step.minor);
      return out.number(step.mode).number(step.uid).number(step.gid);
    case "bind-device":
      out.string(step.source).string(step.path).u8(deviceKinds[step.kind]);
      return out.number(step.major).number(step.minor);
    case "symlink":
      return out.string(step.path).string(step.to);
    case "console":
      return out.number(step.rows).number(step.columns);
    case "set-hostname":
    case "set-domainname":
      return out.string(step.name);
    case "set-sysctl":
      return out.string(step.key).string(step.value).boolean(step.optional);
    case "hook":
      out.string(step.kind).string(step.path).strings(step.args).strings(step.env).number(step.timeoutMs);
      return out
        .u8(step.where === "runtime" ? 0 : 1)
        .string(step.directory ?? "")
        .string(step.state);
    case "new-keyring":
      return out.string(step.name).boolean(step.required);
    case "set-oom-score":
      return out.number(step.score);
    case "set-rlimit":
      return out.number(step.resource).string(step.name).u64(step.soft).u64(step.hard);
    case "set-personality":
      return out.number(step.domain);
    case "set-scheduler":
      out.number(step.policy).number(step.flags).number(step.nice).number(step.priority);
      return out.u64(step.runtimeNs).u64(step.deadlineNs).u64(step.periodNs);
    case "set-io-priority":
      return out.number(step.class).number(step.level);
    case "set-cpu-affinity":
      return out.bytes(step.mask);
    case "set-memory-policy":
      return out.number(step.mode).bytes(step.nodes);
    case "set-security-label":
      return out.string(step.file).string(step.label);
    case "set-umask":
      return out.number(step.mask);
    case "change-directory":
      return out.string(step.path);
    case "make-directory":
      return out.string(step.path).number(step.mode).number(step.uid).number(step.gid);
    case "set-bounding":
      return out.u64(step.mask);
    case "set-user":
      return numbers(out.number(step.uid).number(step.gid), step.additionalGids);
    case "set-capabilities":
      return out.u64(step.effective).u64(step.permitted).u64(step.inheritable).u64(step.ambient);
    case "load-seccomp":
      optionalString(out.bytes(step.program).number(step.flags), step.listenerPath);
      return optionalString(out, step.listenerState);
    case "exec":
      return out.strings(step.args).strings(step.env).number(step.preserveFds);
    case "unshare-cgroup":
    case "make-root-readonly":
    case "bring-up-loopback":
    case "new-session":
    case "no-new-privileges":
      return out;
  }
}
