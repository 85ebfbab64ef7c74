import { expect, test } from "bun:test";
import { parseByteRange, parseChunkRange, receivedRange } from "./byte-range.ts";

test.each([
  ["bytes=0-0", { start: 0, end: 1 }],
  ["bytes=2-4", { start: 2, end: 5 }],
  ["bytes=5-", { start: 5, end: 10 }],
  ["bytes=9-99", { start: 9, end: 10 }],
  ["bytes=-4", { start: 6, end: 10 }],
  ["bytes=-40", { start: 0, end: 10 }],
  ["bytes=10-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=4-2", "unsatisfiable"], // a server may ignore it, too; distribution-spec's suite takes that for no support
  ["bytes=-", undefined],
  ["bytes=0-1,3-4", undefined],
  ["pages=1-2", undefined],
  [undefined, undefined],
] as const)("of ten bytes %p is %p", (header, wanted) => {
  expect(parseByteRange(header, 10)).toEqual(wanted);
});

test.each([
  ["0-9", { start: 0, end: 10 }],
  ["5-5", { start: 5, end: 6 }],
  ["5-4", undefined],
  ["bytes 0-9/10", undefined],
  ["0-", undefined],
  ["0-9999999999999999999", undefined],
] as const)("the chunk %p is %p", (header, wanted) => {
  expect(parseChunkRange(header)).toEqual(wanted);
});

test("an upload that received nothing says the same as one with a single byte", () => {
  expect([0, 1, 1024].map(receivedRange)).toEqual(["0-0", "0-0", "0-1023"]);
});
