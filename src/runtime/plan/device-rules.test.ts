import { describe, expect, test } from "bun:test";
import type { OciDeviceRule } from "../../formats/oci-runtime.ts";
import { defaultDeviceRules } from "../defaults.ts";
import { emitDeviceFilter } from "./device-filter.ts";
import { formatException, resolveDeviceRules } from "./device-rules.ts";
import { simulateDeviceFilter } from "./testing/simulate-ebpf.ts";

const [m, r, w] = [1, 2, 4];
const denyAll: OciDeviceRule = { allow: false, access: "rwm" };
const allowAll: OciDeviceRule = { allow: true, access: "rwm" };

function allows(rules: readonly OciDeviceRule[], use: string, access: number): boolean {
  const [, type, major, minor] = /^([bc]) (\d+):(\d+)$/.exec(use) ?? [];
  const program = emitDeviceFilter(resolveDeviceRules(rules));
  const verdict = simulateDeviceFilter(program, {
    type: type === "b" ? "b" : "c",
    major: Number(major),
    minor: Number(minor),
    access,
  });
  return verdict === 1n;
}

describe("the default rules", () => {
  test.each([
    ["c 1:3", r | w, true], // null
    ["c 1:7", r | w, true], // full
    ["c 5:0", r | w, true], // tty
    ["c 136:12", r | w, true], // a pseudo terminal
    ["c 10:229", r | w, false], // fuse
    ["c 10:229", m, true], // making a node is no use of it
    ["b 8:0", r, false],
    ["b 8:0", m, true],
    ["b 8:0", r | m, false],
    ["c 1:1", r, false], // mem
  ] as const)("%s access %d: %p", (use, access, wanted) => {
    expect(allows(defaultDeviceRules, use, access)).toBe(wanted);
  });

  test("come to few lines for cgroup v1", () => {
    const { defaultAllow, exceptions } = resolveDeviceRules(defaultDeviceRules);
    expect(defaultAllow).toBe(false);
    expect(exceptions.map(formatException)).toEqual([
      "c 1:5 rwm",
      "c 1:3 rwm",
      "c 1:9 rwm",
      "c 1:8 rwm",
      "c 5:0 rwm",
      "c 5:1 rwm",
      "c *:* m",
      "b *:* m",
      "c 1:7 rwm",
      "c 5:2 rwm",
      "c 136:* rwm",
    ]);
  });
});

describe("rules", () => {
  test("a later one wins", () => {
    const loop: OciDeviceRule = { allow: true, type: "b", major: 7, minor: 0, access: "rw" };
    expect(allows([denyAll, loop], "b 7:0", r | w)).toBe(true);
    expect(allows([denyAll, loop, { ...loop, allow: false, access: "w" }], "b 7:0", w)).toBe(false);
    expect(allows([denyAll, loop, { ...loop, allow: false, access: "w" }], "b 7:0", r)).toBe(true);
    expect(allows([loop, denyAll], "b 7:0", r)).toBe(false);
    expect(allows([denyAll, loop, { allow: false, type: "b", access: "rwm" }], "b 7:0", r)).toBe(false);
  });

  test("a wildcard of one number matches all of the other", () => {
    const rules: OciDeviceRule[] = [denyAll, { allow: true, type: "c", major: 226, minor: -1, access: "rw" }];
    expect(allows(rules, "c 226:128", r | w)).toBe(true);
    expect(allows(rules, "c 227:128", r | w)).toBe(false);
  });

  test("everything allowed, but for some", () => {
    const rules: OciDeviceRule[] = [allowAll, { allow: false, type: "b", major: 8, minor: 0, access: "w" }];
    expect(allows(rules, "b 8:0", r)).toBe(true);
    expect(allows(rules, "b 8:0", w)).toBe(false);
    expect(allows(rules, "b 8:0", r | w)).toBe(false);
    expect(allows(rules, "b 8:1", w)).toBe(true);
    expect(allows([allowAll], "b 8:1", r | w | m)).toBe(true);
  });

  test("type a with less than all of it means both types", () => {
    const rules: OciDeviceRule[] = [denyAll, { allow: true, type: "a", access: "r" }];
    expect(allows(rules, "b 8:0", r)).toBe(true);
    expect(allows(rules, "c 8:0", r)).toBe(true);
    expect(allows(rules, "c 8:0", w)).toBe(false);
  });

  test("a hole in a wildcard is refused rather than ignored", () => {
    const rules: OciDeviceRule[] = [
      denyAll,
      { allow: true, type: "c", access: "rw" },
      { allow: false, type: "c", major: 10, minor: 229, access: "rw" },
    ];
    expect(() => resolveDeviceRules(rules)).toThrow(
      "linux.resources.devices.2: denies a part of an earlier wildcard rule",
    );
  });

  test("malformed ones are refused by their place", () => {
    expect(() => resolveDeviceRules([{ allow: true, type: "c", access: "rx" }])).toThrow(
      "linux.resources.devices.0.access: rx is not made of r, w and m",
    );
    expect(() => resolveDeviceRules([{ allow: true, type: "c", major: 4096 }])).toThrow(
      "4096 is no major number",
    );
    expect(() => resolveDeviceRules([{ allow: true, type: "c", minor: 2 ** 20 }])).toThrow(
      "is no minor number",
    );
  });
});
