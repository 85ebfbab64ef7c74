import { describe, expect, test } from "bun:test";
import type { OciSeccomp, OciSyscallArgument, SeccompOperator } from "../../formats/oci-runtime.ts";
import { defaultCapabilities } from "../capabilities.ts";
import { nativeAbi, type SyscallAbi, syscallAbi } from "./architectures.ts";
import { compileSeccomp } from "./compile-bpf.ts";
import { defaultSeccompProfile } from "./default-profile.ts";
import { resolveProfile } from "./resolve-profile.ts";
import { allowedBy } from "./testing/allowed-by.ts";
import { simulateBpf } from "./testing/simulate-bpf.ts";

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const KILL = 0x80000000;
const host = { architecture: "x86_64", kernel: { release: "6.12.0", major: 6, minor: 12 } };

const abiNamed = (name: string): SyscallAbi => {
  const abi = syscallAbi(name);
  if (abi === undefined) throw new Error(`no ABI ${name}`);
  return abi;
};
const x64 = abiNamed("SCMP_ARCH_X86_64");

function verdict(profile: OciSeccomp, name: string, args: readonly bigint[] = [], abi = x64): number {
  const number = abi.table().get(name);
  if (number === undefined) throw new Error(`${abi.name} has no ${name}`);
  const program = compileSeccomp(profile, "x86_64");
  return simulateBpf(program, { number: number + abi.numberBit, audit: abi.audit, args });
}

const defaultFor = (capabilities: readonly string[]) =>
  resolveProfile(defaultSeccompProfile, capabilities, host);

describe("the default profile", () => {
  const profile = defaultFor(defaultCapabilities);

  test("allows what every program needs, refuses what leaves the container", () => {
    for (const name of ["read", "openat", "execve", "mmap", "futex", "chroot"])
      expect(verdict(profile, name)).toBe(ALLOW);
    for (const name of ["mount", "reboot", "init_module", "keyctl", "add_key", "bpf", "setns", "unshare"])
      expect(verdict(profile, name)).toBe(EPERM);
  });

  test("looks at the flags of clone, and hides clone3", () => {
    expect(verdict(profile, "clone", [0x1200011n])).toBe(ALLOW);
    expect(verdict(profile, "clone", [0x10000000n])).toBe(EPERM); // CLONE_NEWUSER
    expect(verdict(profile, "clone", [0x20000n])).toBe(EPERM); // CLONE_NEWNS
    expect(verdict(profile, "clone3")).toBe(ENOSYS);
    expect(verdict(defaultFor(["CAP_SYS_ADMIN"]), "clone", [0x10000000n])).toBe(ALLOW);
  });

  test("refuses the socket families which reach the host", () => {
    const families = [1n, 2n, 10n, 16n, 38n, 39n, 40n, 41n];
    const verdicts = families.map((family) => verdict(profile, "socket", [family]));
    expect(verdicts).toEqual([ALLOW, ALLOW, ALLOW, ALLOW, EPERM, ALLOW, EPERM, ALLOW]);
  });

  test("opens calls together with their capability", () => {
    expect(verdict(defaultFor(["CAP_SYS_ADMIN"]), "mount")).toBe(ALLOW);
    expect(verdict(defaultFor(["CAP_SYS_TIME"]), "settimeofday")).toBe(ALLOW);
    expect(verdict(defaultFor(["CAP_BPF"]), "bpf")).toBe(ALLOW);
    expect(verdict(defaultFor([]), "chroot")).toBe(EPERM);
  });

  test("answers ENOSYS for calls that are newer than itself, EPERM for older unknown ones", () => {
    const program = compileSeccomp(profile, "x86_64");
    expect(simulateBpf(program, { number: 600, audit: x64.audit })).toBe(ENOSYS);
    expect(simulateBpf(program, { number: 0x3fffffff, audit: x64.audit })).toBe(ENOSYS);
    expect(simulateBpf(program, { number: 400, audit: x64.audit })).toBe(EPERM); // never given out
  });

  test("ends a process of an ABI that is not listed", () => {
    const program = compileSeccomp(profile, "x86_64");
    expect(simulateBpf(program, { number: 0, audit: 0xc00000b7 })).toBe(KILL);
    const onlyNative: OciSeccomp = { defaultAction: "SCMP_ACT_ALLOW" };
    const native = compileSeccomp(onlyNative, "x86_64");
    expect(simulateBpf(native, { number: 0x40000000, audit: x64.audit })).toBe(KILL); // x32
    expect(simulateBpf(native, { number: 0, audit: 0x40000003 })).toBe(KILL); // i386
    expect(simulateBpf(native, { number: 0, audit: x64.audit })).toBe(ALLOW);
  });

  test("knows the 32-bit and x32 numbers", () => {
    expect(verdict(profile, "read", [], abiNamed("SCMP_ARCH_X86"))).toBe(ALLOW);
    expect(verdict(profile, "mount", [], abiNamed("SCMP_ARCH_X86"))).toBe(EPERM);
    expect(verdict(profile, "execve", [], abiNamed("SCMP_ARCH_X32"))).toBe(ALLOW);
    expect(verdict(profile, "ptrace", [], abiNamed("SCMP_ARCH_X32"))).toBe(ALLOW);
  });
});

/** Small, reproducible: xorshift32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const interesting = [
  0n,
  1n,
  8n,
  38n,
  39n,
  40n,
  0x20000n,
  0x20008n,
  0x7e020000n,
  0xffffffffn,
  1n << 32n,
  (1n << 32n) + 8n,
];

describe.each([
  ["x86_64", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]],
  ["aarch64", ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]],
  ["riscv64", ["SCMP_ARCH_RISCV64"]],
] as const)("on %s the program agrees with the profile", (architecture, abis) => {
  test.each([
    ["default capabilities", defaultCapabilities],
    ["no capabilities", []],
    ["administrator", ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]],
  ])("with %s", (_, capabilities) => {
    const profile = resolveProfile(defaultSeccompProfile, capabilities, { ...host, architecture });
    const program = compileSeccomp(profile, architecture);
    const random = randomNumbers(4711);
    const disagreements: string[] = [];
    for (const abi of abis.map(abiNamed))
      for (let number = 0; number < 600; number++)
        for (let round = 0; round < 4; round++) {
          const args = Array.from({ length: 6 }, () => interesting[random() % interesting.length] ?? 0n);
          const got = simulateBpf(program, { number: number + abi.numberBit, audit: abi.audit, args });
          if (got !== allowedBy(profile, abi, number, args))
            disagreements.push(`${abi.name} ${number} ${args}`);
        }
    expect(disagreements).toEqual([]);
  });
});

describe("arguments", () => {
  const operators: readonly [SeccompOperator, (argument: bigint, value: bigint) => boolean][] = [
    ["SCMP_CMP_NE", (argument, value) => argument !== value],
    ["SCMP_CMP_LT", (argument, value) => argument < value],
    ["SCMP_CMP_LE", (argument, value) => argument <= value],
    ["SCMP_CMP_EQ", (argument, value) => argument === value],
    ["SCMP_CMP_GE", (argument, value) => argument >= value],
    ["SCMP_CMP_GT", (argument, value) => argument > value],
  ];
  const values = [0n, 1n, 0xffffffffn, 1n << 32n, (1n << 32n) + 1n, 5n << 40n, (1n << 64n) - 1n];
  const profileFor = (args: readonly OciSyscallArgument[]): OciSeccomp => ({
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [{ names: ["ioctl"], action: "SCMP_ACT_ALLOW", args }],
  });

  test.each(operators)("%s compares all 64 bits, unsigned", (op, holds) => {
    for (const value of values)
      for (const argument of values) {
        const got = verdict(profileFor([{ index: 2, value, op }]), "ioctl", [0n, 0n, argument]);
        expect([value, argument, got]).toEqual([value, argument, holds(argument, value) ? ALLOW : EPERM]);
      }
  });

  test("SCMP_CMP_MASKED_EQ masks both halves", () => {
    const masks = [0n, 0xffn, 0xffffffffn, 0xff00000000n, (1n << 64n) - 1n, 0x7e020000n];
    for (const value of masks)
      for (const valueTwo of [0n, 1n, 0x100000000n])
        for (const argument of values) {
          const profile = profileFor([{ index: 0, value, valueTwo, op: "SCMP_CMP_MASKED_EQ" }]);
          const wanted = (argument & value) === valueTwo ? ALLOW : EPERM;
          expect([value, valueTwo, argument, verdict(profile, "ioctl", [argument])]).toEqual([
            value,
            valueTwo,
            argument,
            wanted,
          ]);
        }
  });

  test("all of one rule have to hold, one of several rules is enough", () => {
    const profile: OciSeccomp = {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        {
          names: ["ioctl"],
          action: "SCMP_ACT_ALLOW",
          args: [
            { index: 0, value: 1, op: "SCMP_CMP_EQ" },
            { index: 1, value: 2, op: "SCMP_CMP_EQ" },
          ],
        },
        {
          names: ["ioctl"],
          action: "SCMP_ACT_ERRNO",
          errnoRet: 22,
          args: [{ index: 0, value: 3, op: "SCMP_CMP_GE" }],
        },
      ],
    };
    expect(verdict(profile, "ioctl", [1n, 2n])).toBe(ALLOW);
    expect(verdict(profile, "ioctl", [1n, 3n])).toBe(EPERM);
    expect(verdict(profile, "ioctl", [4n, 2n])).toBe(0x00050016);
  });

  test("a 32-bit ABI has no upper half", () => {
    const profile: OciSeccomp = {
      ...profileFor([{ index: 0, value: 7, op: "SCMP_CMP_EQ" }]),
      architectures: ["SCMP_ARCH_X86"],
    };
    const abi = abiNamed("SCMP_ARCH_X86");
    expect(verdict(profile, "ioctl", [7n], abi)).toBe(ALLOW);
    expect(verdict(profile, "ioctl", [8n], abi)).toBe(EPERM);
  });
});

describe("a profile", () => {
  test("one rule without arguments decides alone", () => {
    const profile: OciSeccomp = {
      defaultAction: "SCMP_ACT_KILL_PROCESS",
      syscalls: [
        { names: ["close"], action: "SCMP_ACT_ERRNO", args: [{ index: 0, value: 0, op: "SCMP_CMP_EQ" }] },
        { names: ["close"], action: "SCMP_ACT_LOG" },
      ],
    };
    expect(verdict(profile, "close", [0n])).toBe(0x7ffc0000);
    expect(verdict(profile, "write")).toBe(KILL);
  });

  test("a default that allows stays for newer calls", () => {
    const program = compileSeccomp(
      { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mount"], action: "SCMP_ACT_TRAP" }] },
      "x86_64",
    );
    expect(simulateBpf(program, { number: 165, audit: x64.audit })).toBe(0x00030000);
    expect(simulateBpf(program, { number: 900, audit: x64.audit })).toBe(ALLOW);
  });

  test("an errno where none is possible is refused", () => {
    const profile: OciSeccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["read"], action: "SCMP_ACT_KILL", errnoRet: 3 }],
    };
    expect(() => compileSeccomp(profile, "x86_64")).toThrow("SCMP_ACT_KILL takes no errnoRet");
  });

  test("an architecture that nobody knows is refused by name", () => {
    const profile: OciSeccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_PDP11"] };
    expect(() => compileSeccomp(profile, "x86_64")).toThrow("SCMP_ARCH_PDP11 is unknown");
  });

  test("beyond 4096 instructions it is refused with the number", () => {
    const names = [...(nativeAbi("x86_64")?.table().keys() ?? [])];
    const profile: OciSeccomp = {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: names.flatMap((name) =>
        [1n, 2n, 3n, 4n].map((value) => ({
          names: [name],
          action: "SCMP_ACT_ALLOW" as const,
          args: [{ index: 0, value, op: "SCMP_CMP_EQ" as const }],
        })),
      ),
    };
    expect(() => compileSeccomp(profile, "x86_64")).toThrow(
      /compiles to \d+ instructions, the kernel takes 4096/,
    );
  });

  test("long distances are bridged", () => {
    const names = [...x64.table().keys()].slice(0, 100);
    const profile: OciSeccomp = {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: names.map((name, index) => ({
        names: [name],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: index % 6, value: BigInt(index) << 33n, op: "SCMP_CMP_GT" }],
      })),
    };
    const wrong = names.filter((name, index) => {
      const args = Array.from({ length: 6 }, () => 0n);
      const below = verdict(profile, name, args);
      args[index % 6] = (BigInt(index) << 33n) + 1n;
      return verdict(profile, name, args) !== ALLOW || below !== EPERM;
    });
    expect(wrong).toEqual([]);
  });

  test("is compiled once", () => {
    const profile = defaultFor(defaultCapabilities);
    expect(compileSeccomp(profile, "x86_64")).toBe(compileSeccomp(defaultFor(defaultCapabilities), "x86_64"));
  });
});
