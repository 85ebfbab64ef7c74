import { aarch64 } from "./syscalls/aarch64.ts";
import { arm } from "./syscalls/arm.ts";
import { loongarch64 } from "./syscalls/loongarch64.ts";
import { mips64 } from "./syscalls/mips64.ts";
import { ppc64le } from "./syscalls/ppc64le.ts";
import { riscv64 } from "./syscalls/riscv64.ts";
import { s390x } from "./syscalls/s390x.ts";
import { x32 } from "./syscalls/x32.ts";
import { x86 } from "./syscalls/x86.ts";
import { x86_64 } from "./syscalls/x86_64.ts";

/** Numbers by name. */
export type SyscallTable = ReadonlyMap<string, number>;

/** One way to call the kernel: what a filter sees in `struct seccomp_data` tells it apart. */
export interface SyscallAbi {
  /** `SCMP_ARCH_X86_64`. */
  readonly name: string;
  /** AUDIT_ARCH_*: linux/audit.h. */
  readonly audit: number;
  /** Set in every number of this ABI: x32 shares its audit word with x86-64. */
  readonly numberBit: number;
  /** Of an argument; the upper half of a 32-bit one means nothing. */
  readonly bits: 32 | 64;
  readonly bigEndian: boolean;
  /** Reads the table at its first use. */
  readonly table: () => SyscallTable;
}

const abi = (
  name: string,
  audit: number,
  text: string,
  {
    bits = 64,
    numberBit = 0,
    bigEndian = false,
  }: Partial<Pick<SyscallAbi, "bits" | "numberBit" | "bigEndian">> = {},
): SyscallAbi => {
  let table: SyscallTable | undefined;
  return {
    name: `SCMP_ARCH_${name}`,
    audit,
    numberBit,
    bits,
    bigEndian,
    table: () => {
      table ??= parseSyscallTable(text);
      return table;
    },
  };
};

const abis: readonly SyscallAbi[] = [
  abi("X86_64", 0xc000003e, x86_64),
  abi("X32", 0xc000003e, x32, { numberBit: 0x40000000 }),
  abi("X86", 0x40000003, x86, { bits: 32 }),
  abi("AARCH64", 0xc00000b7, aarch64),
  abi("ARM", 0x40000028, arm, { bits: 32 }),
  abi("RISCV64", 0xc00000f3, riscv64),
  abi("LOONGARCH64", 0xc0000102, loongarch64),
  abi("S390X", 0x80000016, s390x, { bigEndian: true }),
  abi("PPC64LE", 0xc0000015, ppc64le),
  abi("MIPS64", 0x80000008, mips64, { bigEndian: true }),
  abi("MIPSEL64", 0xc0000008, mips64),
];

const byName = new Map(abis.map((entry) => [entry.name, entry]));

/** ABIs whose numbers gantry does not have; a program that uses one is ended, as by any filter which does not list it. */
const withoutTable = new Set(
  ["MIPS", "MIPS64N32", "MIPSEL", "MIPSEL64N32", "S390", "PPC", "PPC64", "M68K", "SH", "SHEB"]
    .concat(["PARISC", "PARISC64"])
    .map((name) => `SCMP_ARCH_${name}`),
);

/** By the name in a profile; undefined where there is no table. Unknown names are for the caller to refuse. */
export const syscallAbi = (name: string): SyscallAbi | undefined => byName.get(name);
export const isKnownAbi = (name: string): boolean => byName.has(name) || withoutTable.has(name);

/** uname's machine → the ABI of its programs. */
const nativeAbis: Record<string, string> = {
  x86_64: "X86_64",
  x86: "X86",
  aarch64: "AARCH64",
  arm: "ARM",
  riscv64: "RISCV64",
  loongarch64: "LOONGARCH64",
  s390x: "S390X",
  ppc64le: "PPC64LE",
  mips64: "MIPS64",
  mips64el: "MIPSEL64",
};

export const nativeAbi = (machine: string): SyscallAbi | undefined =>
  byName.get(`SCMP_ARCH_${nativeAbis[machine]}`);

/** uname's machine → its name in the `arches` of Docker's profiles. */
export function profileArchitecture(machine: string): string {
  const names: Record<string, string> = { x86_64: "amd64", aarch64: "arm64", mips64el: "mipsel64" };
  return names[machine] ?? machine;
}

/** Reads `0 read write 5 fstat`: names with consecutive numbers; a number says where the next ones begin. */
export function parseSyscallTable(text: string): SyscallTable {
  const table = new Map<string, number>();
  let next = 0;
  for (const word of text.trim().split(/\s+/)) {
    if (/^\d+$/.test(word)) next = Number(word);
    else table.set(word, next++);
  }
  return table;
}

/** Names of the ABIs that filters can be made for. */
export const knownArchitectures: readonly string[] = [...byName.keys()].sort();
