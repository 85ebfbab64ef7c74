import type { OciSyscallArgument, SeccompOperator } from "../../formats/oci-runtime.ts";
import type { SyscallAbi } from "./architectures.ts";
import type { BpfAssembler, Label } from "./bpf-assembler.ts";

/** struct seccomp_data: six arguments of 64 bits. */
const argumentsOffset = 16;

/** Where the halves of an argument stand, and what they are compared with. */
interface Halves {
  readonly lowOffset: number;
  readonly highOffset: number;
  readonly low: number;
  readonly high: number;
}

/** Puts code in front that goes to `match` if all of `args` hold, else to `otherwise`. */
export function emitArguments(
  assembler: BpfAssembler,
  args: readonly OciSyscallArgument[],
  abi: SyscallAbi,
  match: Label,
  otherwise: Label,
): Label {
  let label = match;
  for (const argument of args.toReversed()) label = emitArgument(assembler, argument, abi, label, otherwise);
  return label;
}

function emitArgument(
  assembler: BpfAssembler,
  argument: OciSyscallArgument,
  abi: SyscallAbi,
  match: Label,
  otherwise: Label,
): Label {
  const { index, op, value, valueTwo = 0 } = argument;
  if (op === "SCMP_CMP_MASKED_EQ") {
    const mask = halves(abi, index, BigInt(value));
    return emitMasked(assembler, mask, halves(abi, index, BigInt(valueTwo)), abi, match, otherwise);
  }
  const negated = negations[op];
  const wanted = halves(abi, index, BigInt(value));
  return negated === undefined
    ? emitComparison(assembler, op, wanted, abi, match, otherwise)
    : emitComparison(assembler, negated, wanted, abi, otherwise, match);
}

/** An operator that is the opposite of another one goes the other way. */
const negations: Partial<Record<SeccompOperator, SeccompOperator>> = {
  SCMP_CMP_NE: "SCMP_CMP_EQ",
  SCMP_CMP_LT: "SCMP_CMP_GE",
  SCMP_CMP_LE: "SCMP_CMP_GT",
};

function halves({ bigEndian }: SyscallAbi, index: number, value: bigint): Halves {
  const offset = argumentsOffset + index * 8;
  return {
    lowOffset: bigEndian ? offset + 4 : offset,
    highOffset: bigEndian ? offset : offset + 4,
    low: Number(value & 0xffffffffn),
    high: Number(value >> 32n),
  };
}

/** The upper half decides; where it is equal, the lower one. */
function emitComparison(
  assembler: BpfAssembler,
  op: SeccompOperator,
  { lowOffset, highOffset, low, high }: Halves,
  { bits }: SyscallAbi,
  match: Label,
  otherwise: Label,
): Label {
  const comparison = op === "SCMP_CMP_EQ" ? "equal" : op === "SCMP_CMP_GT" ? "greater" : "greaterOrEqual";
  const lower = assembler.load(lowOffset, assembler.branch(comparison, low, match, otherwise));
  if (bits === 32) return lower;
  const equal = assembler.branch("equal", high, lower, otherwise);
  const upper = comparison === "equal" ? equal : assembler.branch("greater", high, match, equal);
  return assembler.load(highOffset, upper);
}

/** Halves whose mask is empty need no look, unless they could never match. */
function emitMasked(
  assembler: BpfAssembler,
  mask: Halves,
  wanted: Halves,
  { bits }: SyscallAbi,
  match: Label,
  otherwise: Label,
): Label {
  const half = (offset: number, bitsOfMask: number, value: number, whenEqual: Label): Label => {
    if (bitsOfMask === 0) return value === 0 ? whenEqual : otherwise;
    const compared = assembler.branch("equal", value, whenEqual, otherwise);
    return assembler.load(offset, bitsOfMask === 0xffffffff ? compared : assembler.and(bitsOfMask, compared));
  };
  const lower = half(mask.lowOffset, mask.low, wanted.low, match);
  return bits === 32 ? lower : half(mask.highOffset, mask.high, wanted.high, lower);
}
