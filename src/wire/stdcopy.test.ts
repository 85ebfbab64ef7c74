import { expect, test } from "bun:test";
import { encodeFrame, StdcopyDecoder } from "./stdcopy.ts";

const wire = Buffer.concat([
  encodeFrame(1, Buffer.from("out\n")),
  encodeFrame(2, Buffer.from("")),
  encodeFrame(2, Buffer.from("err")),
  encodeFrame(0, Buffer.from("in")),
  encodeFrame(1, new Uint8Array(300).fill(65)),
]);

function collect() {
  const text = { 1: "", 2: "" };
  const decoder = new StdcopyDecoder((stream, bytes) => {
    text[stream] += Buffer.from(bytes).toString();
  });
  return { decoder, text };
}

test("a frame is stream, three zeros, big-endian length, payload", () => {
  expect([...encodeFrame(2, Buffer.from("hi"))]).toEqual([2, 0, 0, 0, 0, 0, 0, 2, 104, 105]);
});

test("decodes the same however the bytes are cut", () => {
  for (let size = 1; size <= wire.length; size++) {
    const { decoder, text } = collect();
    for (let at = 0; at < wire.length; at += size) decoder.push(wire.subarray(at, at + size));
    decoder.end();
    expect({ size, ...text }).toEqual({ size, 1: `out\nin${"A".repeat(300)}`, 2: "err" });
  }
});

test("a stream cut in the middle of a frame is an error", () => {
  const { decoder } = collect();
  decoder.push(wire.subarray(0, 10));
  expect(() => decoder.end()).toThrow("in the middle of a frame");
});

test("a system-error frame throws its text", () => {
  const { decoder } = collect();
  const frame = encodeFrame(3, Buffer.from("log file is gone\n"));
  decoder.push(frame.subarray(0, 12));
  expect(() => decoder.push(frame.subarray(12))).toThrow("log file is gone");
});

test("an unknown stream number is refused", () => {
  expect(() => collect().decoder.push(Buffer.from("HTTP/1.1 "))).toThrow("unrecognized stream");
});
