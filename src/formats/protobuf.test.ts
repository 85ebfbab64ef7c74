import { expect, test } from "bun:test";
import { decodeProtobuf, encodeProtobuf } from "./protobuf.ts";

test("varints and length-delimited values have the bytes of the specification", () => {
  expect(encodeProtobuf([[1, 150]])).toEqual(Uint8Array.of(0x08, 0x96, 0x01));
  expect(encodeProtobuf([[2, "testing"]])).toEqual(Uint8Array.of(0x12, 7, ...Buffer.from("testing")));
  expect(encodeProtobuf([[3, encodeProtobuf([[1, 150]])]])).toEqual(Uint8Array.of(0x1a, 3, 0x08, 0x96, 0x01));
  expect(encodeProtobuf([[63, true]])).toEqual(Uint8Array.of(0xf8, 0x03, 1));
});

test("what was encoded is decoded, repeated fields in their order", () => {
  const message = decodeProtobuf(
    encodeProtobuf([
      [1, -1],
      [37, "a"],
      [37, "b"],
      [2, 1 << 20],
    ]),
  );
  expect(message.get(1)).toEqual([-1n]);
  expect(message.get(2)).toEqual([1n << 20n]);
  expect(message.get(37)?.map((value) => Buffer.from(value as Uint8Array).toString())).toEqual(["a", "b"]);
});

test("fixed-width values are skipped", () => {
  expect(decodeProtobuf(Uint8Array.of(0x0d, 1, 2, 3, 4, 0x10, 5)).get(2)).toEqual([5n]);
});

test.each([[[0x12, 7, 1]], [[0x08, 0x96]], [[0x0b]], [Array(12).fill(0xff)]])("%p is no message", (bytes) => {
  expect(() => decodeProtobuf(Uint8Array.from(bytes))).toThrow(RangeError);
});
