import { expect, test } from "bun:test";
import { parseControlGroup, parseDeviceGroups, parseSystemdVersion } from "./systemd-facts.ts";

test.each([
  ["252.38-1~deb12u1", 252],
  ["v245.4-1.fc32", 245],
  ["245", 245],
])("version %s is %p", (text, version) => {
  expect(parseSystemdVersion(text)).toBe(version);
});

test("a version without a number is none", () => {
  expect(() => parseSystemdVersion("unknown")).toThrow("unknown");
});

test.each([
  ["", ""],
  ["/", ""],
  ["/init.scope", ""],
  ["/user.slice/user-1000.slice/user@1000.service", "/user.slice/user-1000.slice/user@1000.service"],
  ["/machine.slice/a.scope/init.scope", "/machine.slice/a.scope"],
])("a manager in %p has its units below %p", (text, group) => {
  expect(parseControlGroup(text)).toBe(group);
});

test("drivers are known by type and major number", () => {
  const text = "Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n  8 sd\n259 blkext\n";
  expect(parseDeviceGroups(text)).toEqual({ "c 1": "mem", "c 136": "pts", "b 8": "sd", "b 259": "blkext" });
});
