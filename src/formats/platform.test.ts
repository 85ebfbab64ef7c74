import { expect, test } from "bun:test";
import { choosePlatform, formatPlatform, hostPlatform, parsePlatform, platformDistance } from "./platform.ts";

const host = { os: "linux", architecture: "amd64" };

test.each([
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["LINUX/AMD64/V1", "linux/amd64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/armhf", "linux/arm/v7"],
  ["linux/armel", "linux/arm/v6"],
  ["linux/arm/6", "linux/arm/v6"],
  ["linux/i386", "linux/386"],
  ["macos/arm64", "darwin/arm64"],
  ["arm64", "linux/arm64"],
  ["windows", "windows/amd64"],
  // Words that every object of the language has.
  ["linux/constructor", "linux/constructor"],
  ["constructor/amd64", "constructor/amd64"],
])("%p is the platform %p", (text, wanted) => {
  expect(formatPlatform(parsePlatform(text, host))).toBe(wanted);
});

test.each(["", "linux/", "/amd64", "a/b/c/d", "linux/amd 64"])("%p is no platform", (text) => {
  expect(() => parsePlatform(text, host)).toThrow("is an invalid platform");
});

test.each([
  ["linux/amd64", "linux/amd64", 0],
  ["linux/amd64", "linux/amd64/v2", undefined],
  ["linux/amd64/v3", "linux/amd64", 2],
  ["linux/amd64/v3", "linux/amd64/v4", undefined],
  ["linux/arm/v7", "linux/arm/v6", 1],
  ["linux/arm/v6", "linux/arm/v7", undefined],
  ["linux/arm64", "linux/arm64/v8", 0],
  ["linux/amd64", "linux/386", undefined],
  ["linux/amd64", "windows/amd64", undefined],
  ["linux/riscv64", "linux/riscv64", 0],
] as const)("on %p a program for %p has the distance %p", (wanted, offered, distance) => {
  expect(platformDistance(parsePlatform(wanted, host), parsePlatform(offered, host))).toBe(distance);
});

test("an arm64 machine prefers its own programs to arm programs", () => {
  const entries = ["linux/arm/v7", "linux/arm64/v8", "linux/arm64"].map((text, index) => ({
    index,
    platform: parsePlatform(text, host),
  }));
  expect(choosePlatform(entries, parsePlatform("linux/arm64", host))?.index).toBe(1);
  expect(choosePlatform(entries.slice(0, 1), parsePlatform("linux/arm64", host))?.index).toBe(0);
});

test("entries without a platform and attestations are never chosen", () => {
  const entries = [{}, { platform: { os: "unknown", architecture: "unknown" } }];
  expect(choosePlatform(entries, host)).toBeUndefined();
});

test("the level of an amd64 machine comes from its flags", () => {
  const v2 = "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3".split(" ");
  const v3 = v2.concat("avx avx2 bmi1 bmi2 f16c fma abm movbe xsave".split(" "));
  expect(formatPlatform(hostPlatform("x64", []))).toBe("linux/amd64");
  expect(formatPlatform(hostPlatform("x64", v2))).toBe("linux/amd64/v2");
  expect(formatPlatform(hostPlatform("x64", v3))).toBe("linux/amd64/v3");
  expect(formatPlatform(hostPlatform("arm64", v3))).toBe("linux/arm64");
});
