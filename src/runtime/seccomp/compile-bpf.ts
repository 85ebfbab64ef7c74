import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciSeccomp, OciSyscallArgument, SeccompAction } from "../../formats/oci-runtime.ts";
import { isKnownAbi, nativeAbi, type SyscallAbi, syscallAbi } from "./architectures.ts";
import { BpfAssembler, type Label } from "./bpf-assembler.ts";
import { emitArguments } from "./emit-arguments.ts";

/**
 * Compiles a profile to the classic BPF program which the kernel runs before each system call.
 *
 * Shape: the ABI is checked first; then a binary search over the numbers, where neighbours with the same answer share one leaf;
 * then the arguments, where a rule has some. What a call gets:
 * - of several rules for a call, one without arguments decides alone; otherwise the first in order whose arguments hold;
 * - a call that no rule names gets the default;
 * - a number above all that the profile names gets ENOSYS where the default refuses: the profile is older than the call, and the
 *   C library falls back to an older one;
 * - an ABI that is not listed ends the process. The host's own is always listed.
 *
 * Errors: InvalidParameter for a malformed profile, or one whose program is longer than 4096 instructions.
 * Spec:   OCI Runtime Specification, "Seccomp"; seccomp(2).
 */
export function compileSeccomp(seccomp: OciSeccomp, machine: string): Uint8Array {
  let programs = compiled.get(seccomp);
  if (programs === undefined) {
    programs = new Map();
    compiled.set(seccomp, programs);
  }
  let program = programs.get(machine);
  if (program === undefined) {
    program = compile(seccomp, machine);
    programs.set(machine, program);
  }
  return program;
}

/** A memory of a pure function: dropped with the profile, which nobody changes once it is made. */
const compiled = new WeakMap<OciSeccomp, Map<string, Uint8Array>>();

/** Offsets in struct seccomp_data. */
const numberOffset = 0;
const architectureOffset = 4;
const killProcess = 0x80000000;
const errnoEnosys = 0x00050000 | 38;
/** Numbers of one audit word end here, or at the number bit of the next ABI. */
const endOfNumbers = 2 ** 32;

function compile(seccomp: OciSeccomp, machine: string): Uint8Array {
  const families = auditFamilies(seccomp, machine);
  const assembler = new BpfAssembler();
  let otherwise = assembler.ret(killProcess);
  // From the last to the first: the host's own ABI, which comes first, is found soonest.
  for (const family of families.reverse()) {
    const [{ audit }] = family;
    const search = emitFamily(assembler, family, seccomp);
    otherwise = assembler.branch("equal", audit, search, otherwise);
  }
  assembler.load(architectureOffset, otherwise);
  return assembler.assemble();
}

type AuditFamily = [SyscallAbi, ...SyscallAbi[]];

/** The profile's ABIs, those with one audit word together, the host's own first. */
function auditFamilies(seccomp: OciSeccomp, machine: string): AuditFamily[] {
  const native = nativeAbi(machine);
  if (native === undefined) throw invalidParameter(`linux.seccomp: no system call table for ${machine}`);
  const families = new Map<number, AuditFamily>([[native.audit, [native]]]);
  for (const name of seccomp.architectures ?? []) {
    if (!isKnownAbi(name)) throw invalidParameter(`linux.seccomp.architectures: ${name} is unknown`);
    const abi = syscallAbi(name);
    if (abi === undefined || abi === native) continue;
    const family = families.get(abi.audit);
    if (family === undefined) families.set(abi.audit, [abi]);
    else if (!family.includes(abi)) family.push(abi);
  }
  return [...families.values()];
}

/** What a number gets: one answer, or rules that look at the arguments. */
type Verdict =
  | { readonly value: number }
  | { readonly conditions: readonly Condition[]; readonly abi: SyscallAbi };

interface Condition {
  readonly value: number;
  readonly args: readonly OciSyscallArgument[];
}

/** From `start` up to the next segment's start. */
interface Segment {
  readonly start: number;
  readonly verdict: Verdict;
}

function emitFamily(assembler: BpfAssembler, family: AuditFamily, seccomp: OciSeccomp): Label {
  const segments = family
    .toSorted((a, b) => a.numberBit - b.numberBit)
    .flatMap((abi) => segmentsOf(abi, seccomp, family.length));
  return assembler.load(numberOffset, emitSearch(assembler, segments, defaultValue(seccomp)));
}

/** Private numbers of ARM begin here: no call is added behind them. */
const armPrivate = 0xf0000;
const x32Bit = 0x40000000;

function segmentsOf(abi: SyscallAbi, seccomp: OciSeccomp, familySize: number): Segment[] {
  const fallback = { value: defaultValue(seccomp) };
  const { ordinary, armOnly } = verdictsByNumber(abi, seccomp, fallback.value);
  const segments = new SegmentList();
  const addAll = (verdicts: VerdictList, offset: number) => {
    for (let number = 0; number < verdicts.length; number++)
      if (number === 0 || verdicts[number] !== verdicts[number - 1])
        segments.add(abi.numberBit + offset + number, verdicts[number] ?? fallback);
  };
  segments.add(abi.numberBit, fallback);
  if (ordinary.length > 0) {
    addAll(ordinary, 0);
    segments.add(abi.numberBit + ordinary.length, newerThanProfile(seccomp, fallback));
  }
  if (armOnly.length > 0) {
    addAll(armOnly, armPrivate);
    segments.add(abi.numberBit + armPrivate + armOnly.length, fallback);
  }
  // A program of the x86-64 ABI that sets the bit of an x32 ABI which is not listed.
  if (abi.name === "SCMP_ARCH_X86_64" && familySize === 1) segments.add(x32Bit, { value: killProcess });
  return segments.list;
}

/** Drops what the next addition at the same number replaces, and joins equal neighbours. */
class SegmentList {
  readonly list: Segment[] = [];

  add(start: number, verdict: Verdict): void {
    let last = this.list[this.list.length - 1];
    if (last?.start === start) {
      this.list.pop();
      last = this.list[this.list.length - 1];
    }
    if (last !== undefined && isSameAnswer(last.verdict, verdict)) return;
    if (start < endOfNumbers) this.list.push({ start, verdict });
  }
}

const isSameAnswer = (left: Verdict, right: Verdict): boolean =>
  "value" in left && "value" in right && left.value === right.value;

const refusing: ReadonlySet<SeccompAction> = new Set([
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
]);

const newerThanProfile = ({ defaultAction }: OciSeccomp, fallback: Verdict): Verdict =>
  refusing.has(defaultAction) ? { value: errnoEnosys } : fallback;

/** By number; undefined: no rule names it. A list, because Maps by number are slow in the runtime's interpreter. */
type VerdictList = (Verdict | undefined)[];

/** Up to the highest number that the profile names; those of ARM alone counted from `armPrivate`. */
interface Verdicts {
  readonly ordinary: VerdictList;
  readonly armOnly: VerdictList;
}

function verdictsByNumber(abi: SyscallAbi, seccomp: OciSeccomp, fallback: number): Verdicts {
  const table = abi.table();
  const verdicts: Verdicts = { ordinary: [], armOnly: [] };
  for (const { names, action, errnoRet, args = [] } of seccomp.syscalls ?? []) {
    const value = actionValue(action, errnoRet);
    const answer = { value };
    for (const name of names) {
      const number = table.get(name);
      if (number === undefined) continue; // this ABI does not have it
      const list = number < armPrivate ? verdicts.ordinary : verdicts.armOnly;
      const index = number % armPrivate;
      while (list.length <= index) list.push(undefined);
      const known = list[index];
      if (known === undefined && (value === fallback || args.length === 0)) list[index] = answer;
      // A rule that says no more than the default only makes the number a known one.
      else if (value !== fallback) list[index] = combine(known, { value, args }, abi, fallback);
    }
  }
  return verdicts;
}

function combine(known: Verdict | undefined, added: Condition, abi: SyscallAbi, fallback: number): Verdict {
  if (known !== undefined && "value" in known && known.value !== fallback) return known;
  if (added.args.length === 0) return { value: added.value };
  const earlier = known !== undefined && "conditions" in known ? known.conditions : [];
  return { conditions: [...earlier, added], abi };
}

/** A balanced tree of comparisons over the starts from `from` to before `to`. Both halves end in leaves, so that nothing falls through. */
function emitSearch(
  assembler: BpfAssembler,
  segments: readonly Segment[],
  fallback: number,
  from = 0,
  to = segments.length,
): Label {
  const middle = from + ((to - from) >> 1);
  const pivot = segments[middle];
  if (pivot === undefined) return assembler.ret(fallback);
  if (middle === from) return emitVerdict(assembler, pivot.verdict, fallback);
  const right = emitSearch(assembler, segments, fallback, middle, to);
  const left = emitSearch(assembler, segments, fallback, from, middle);
  return assembler.branch("greaterOrEqual", pivot.start, right, left);
}

function emitVerdict(assembler: BpfAssembler, verdict: Verdict, fallback: number): Label {
  if ("value" in verdict) return assembler.ret(verdict.value);
  let next = assembler.ret(fallback);
  for (const { args, value } of verdict.conditions.toReversed())
    next = emitArguments(assembler, args, verdict.abi, assembler.ret(value), next);
  return next;
}

const defaultValue = ({ defaultAction, defaultErrnoRet }: OciSeccomp) =>
  actionValue(defaultAction, defaultErrnoRet);

/** The return value of an action: linux/seccomp.h, SECCOMP_RET_*. Without a number it is EPERM. */
export function actionValue(action: SeccompAction, errnoRet: number | undefined): number {
  const value = actionValues[action];
  if (action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE") return value | (errnoRet ?? 1);
  if (errnoRet !== undefined) throw invalidParameter(`linux.seccomp: ${action} takes no errnoRet`);
  return value;
}

const actionValues: Record<SeccompAction, number> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: killProcess,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};
