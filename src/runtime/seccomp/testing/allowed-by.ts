import type { OciSeccomp, OciSyscallArgument } from "../../../formats/oci-runtime.ts";
import type { SyscallAbi } from "../architectures.ts";
import { actionValue } from "../compile-bpf.ts";

/** For tests: a filter's verdict by reading the profile literally, one rule after the other. */
export function allowedBy(
  seccomp: OciSeccomp,
  abi: SyscallAbi,
  number: number,
  args: readonly bigint[],
): number {
  const fallback = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  const numbers = (names: readonly string[]) => names.map((name) => abi.table().get(name));
  const rules = seccomp.syscalls ?? [];
  const highest = Math.max(
    ...rules
      .flatMap(({ names }) => numbers(names))
      .map((known) => (known === undefined || known >= 0xf0000 ? 0 : known)),
  );
  if (number > highest) return 0x00050026;
  const own = rules
    .filter(({ names }) => numbers(names).includes(number))
    .map(({ action, errnoRet, args: conditions = [] }) => ({
      value: actionValue(action, errnoRet),
      conditions,
    }))
    .filter(({ value }) => value !== fallback);
  const unconditional = own.find(({ conditions }) => conditions.length === 0);
  if (unconditional !== undefined) return unconditional.value;
  return (
    own.find(({ conditions }) => conditions.every((condition) => holds(condition, abi, args)))?.value ??
    fallback
  );
}

function holds(
  { index, op, value, valueTwo = 0 }: OciSyscallArgument,
  { bits }: SyscallAbi,
  args: readonly bigint[],
): boolean {
  const width = bits === 32 ? 0xffffffffn : (1n << 64n) - 1n;
  const argument = (args[index] ?? 0n) & width;
  const wanted = BigInt(value) & width;
  switch (op) {
    case "SCMP_CMP_NE":
      return argument !== wanted;
    case "SCMP_CMP_LT":
      return argument < wanted;
    case "SCMP_CMP_LE":
      return argument <= wanted;
    case "SCMP_CMP_EQ":
      return argument === wanted;
    case "SCMP_CMP_GE":
      return argument >= wanted;
    case "SCMP_CMP_GT":
      return argument > wanted;
    case "SCMP_CMP_MASKED_EQ":
      return (argument & wanted) === (BigInt(valueTwo) & width);
  }
}
