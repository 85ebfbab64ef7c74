import { expect, test } from "bun:test";
import { parseSignal } from "./signals.ts";

test.each([
  ["KILL", 9],
  ["SIGKILL", 9],
  ["sigterm", 15],
  ["9", 9],
  ["USR1", 10],
  ["RTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["RTMAX-1", 63],
])("%p is signal %p", (text, wanted) => {
  expect(parseSignal(text)).toBe(wanted);
});

test.each([["NOPE"], ["0"], ["65"], [""], ["-1"], ["RTMIN+99"], ["RTMAX+1"]])("%p is refused", (text) => {
  expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
});
