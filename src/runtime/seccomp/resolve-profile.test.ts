import { describe, expect, test } from "bun:test";
import { parseProfile } from "./parse-profile.ts";
import type { SeccompProfile } from "./profile.ts";
import { resolveProfile } from "./resolve-profile.ts";

const host = { architecture: "x86_64", kernel: { release: "4.19.0", major: 4, minor: 19 } };
const allow = (name: string, conditions: object) => ({
  names: [name],
  action: "SCMP_ACT_ALLOW" as const,
  ...conditions,
});
const namesOf = (profile: SeccompProfile, capabilities: readonly string[], on = host) =>
  (resolveProfile(profile, capabilities, on).syscalls ?? []).flatMap(({ names }) => names);

const profile: SeccompProfile = {
  defaultAction: "SCMP_ACT_ERRNO",
  archMap: [
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] },
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
  ],
  syscalls: [
    allow("always", {}),
    allow("admin", { includes: { caps: ["CAP_SYS_ADMIN"] } }),
    allow("both", { includes: { caps: ["CAP_SYS_ADMIN", "CAP_BPF"] } }),
    allow("plain", { excludes: { caps: ["CAP_SYS_ADMIN"] } }),
    allow("x86", { includes: { arches: ["amd64"] } }),
    allow("not-x86", { excludes: { arches: ["amd64"] } }),
    allow("old-kernel", { includes: { minKernel: "4.8" } }),
    allow("new-kernel", { includes: { minKernel: "5.1" } }),
  ],
};

describe("conditions", () => {
  test("are resolved for capabilities, machine and kernel", () => {
    expect(namesOf(profile, [])).toEqual(["always", "plain", "x86", "old-kernel"]);
    expect(namesOf(profile, ["CAP_SYS_ADMIN"])).toEqual(["always", "admin", "x86", "old-kernel"]);
    expect(namesOf(profile, ["CAP_SYS_ADMIN", "CAP_BPF"])).toContain("both");
    const arm = { architecture: "aarch64", kernel: { release: "6.1.0", major: 6, minor: 1 } };
    expect(namesOf(profile, [], arm)).toEqual(["always", "plain", "not-x86", "old-kernel", "new-kernel"]);
  });

  test("leave no trace in the result", () => {
    const resolved = resolveProfile(profile, [], host);
    expect(Object.keys(resolved).sort()).toEqual(["architectures", "defaultAction", "syscalls"]);
    expect(resolved.architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]);
  });
});

describe("a profile's text", () => {
  test("is read with exact 64-bit values", () => {
    const read = parseProfile(
      `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"ioctl","action":"SCMP_ACT_ERRNO",
        "args":[{"index":1,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}],"comment":"x","includes":null}]}`,
    );
    const [rule] = resolveProfile(read, [], host).syscalls ?? [];
    expect(rule?.names).toEqual(["ioctl"]);
    expect(rule?.args?.[0]?.value).toBe((1n << 64n) - 1n);
  });

  test.each([
    ["{", "seccomp profile: not valid JSON"],
    ["{}", "defaultAction: is missing"],
    [`{"defaultAction":"ALLOW"}`, "defaultAction: expected one of SCMP_ACT_KILL"],
    [`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"]}]}`, "syscalls[0].action: is missing"],
    [
      `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}]}`,
      "syscalls[0].args[0].index: expected an integer from 0 to 5",
    ],
  ])("%p is refused", (text, message) => {
    expect(() => parseProfile(text)).toThrow(message);
  });

  test("contradictions are refused", () => {
    const both: SeccompProfile = { ...profile, architectures: ["SCMP_ARCH_X86_64"] };
    expect(() => resolveProfile(both, [], host)).toThrow("use either 'architectures' or 'archMap'");
    const twoNames: SeccompProfile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ name: "a", names: ["b"], action: "SCMP_ACT_LOG" }],
    };
    expect(() => resolveProfile(twoNames, [], host)).toThrow("use either 'name' or 'names'");
    const odd: SeccompProfile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [allow("a", { includes: { minKernel: "new" } })],
    };
    expect(() => resolveProfile(odd, [], host)).toThrow("minKernel new is no version");
  });
});
