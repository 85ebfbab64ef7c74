import { expect, test } from "bun:test";
import { createClock, formatTimeFixedNs, formatTimeNs, parseTimeNs } from "./clock.ts";

test.each([
  [0n, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000000Z"],
  [1_500_000_000n, "1970-01-01T00:00:01.5Z", "1970-01-01T00:00:01.500000000Z"],
  [1_790_000_000_000_000_001n, "2026-09-21T14:13:20.000000001Z", "2026-09-21T14:13:20.000000001Z"],
])("%p ns is written as %p and %p", (ns, short, fixed) => {
  expect(formatTimeNs(ns)).toBe(short);
  expect(formatTimeFixedNs(ns)).toBe(fixed);
  expect(parseTimeNs(short)).toBe(ns);
  expect(parseTimeNs(fixed)).toBe(ns);
});

test("a time with an offset is read", () => {
  expect(parseTimeNs("1970-01-01T01:00:00.25+01:00")).toBe(250_000_000n);
});

test.each([["yesterday"], ["2026-13-01T00:00:00Z"], [""]])("%p is no time", (text) => {
  expect(parseTimeNs(text)).toBeUndefined();
});

test("the monotonic clock refines the wall clock, and follows it when it is set", () => {
  let wall = 1000;
  let monotonic = 5;
  const now = createClock(
    () => wall,
    () => monotonic,
  );
  monotonic += 0.25;
  expect(now()).toBe(1_000_250_000n);
  wall += 1;
  monotonic += 1;
  expect(now()).toBe(1_001_250_000n);
  wall += 3_600_000;
  expect(now()).toBe(3_601_001_000_000n);
});
