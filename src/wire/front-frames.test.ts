import { expect, test } from "bun:test";
import { encodeEngineFrame, FrontFrameDecoder, parseHello } from "./front-frames.ts";

/** As front/session.c writes it. */
function frontFrame(type: string, payload: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(payload);
  const header = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
  header.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

const hello = (fields: readonly string[]) => Buffer.from(`${fields.join("\0")}\0`);

test("frames come out whole, however their bytes arrive", () => {
  const wire = Buffer.concat([
    frontFrame("H", "abc"),
    frontFrame("I", ""),
    frontFrame("S", Uint8Array.of(15)),
  ]);
  for (let size = 1; size <= wire.length; size++) {
    const seen: [string, string][] = [];
    const decoder = new FrontFrameDecoder((type, payload) => {
      seen.push([type, Buffer.from(payload).toString("latin1")]);
    });
    for (let at = 0; at < wire.length; at += size) decoder.push(wire.subarray(at, at + size));
    expect(seen).toEqual([
      ["hello", "abc"],
      ["input", ""],
      ["signal", "\x0f"],
    ]);
  }
});

test.each([
  ["an unknown type", frontFrame("?", "")],
  ["a frame that is too long", Buffer.from([0x49, 1, 0, 16, 0])],
])("%s is refused", (_, bytes) => {
  expect(() => new FrontFrameDecoder(() => {}).push(bytes)).toThrow("not a frame of the front");
});

test("an engine's frame is its type, its length and its payload", () => {
  expect([...encodeEngineFrame("exit", Uint8Array.of(3))]).toEqual([0x58, 1, 0, 0, 0, 3]);
});

test("a hello tells words, environment and terminals", () => {
  const fields = [
    "id",
    "/tmp",
    "0",
    "1",
    "1",
    "0",
    "24",
    "80",
    "2",
    "ps",
    "-a",
    "HOME=/root",
    "X=a=b",
    "odd",
  ];
  expect(parseHello(hello(fields))).toEqual({
    buildId: "id",
    cwd: "/tmp",
    hasLogin: false,
    terminals: { stdin: true, stdout: true, stderr: false },
    size: { rows: 24, columns: 80 },
    argv: ["ps", "-a"],
    env: { HOME: "/root", X: "a=b" },
  });
});

test.each([[["id", "/tmp"]], [["id", "/", "0", "0", "0", "0", "0", "0", "3", "ps"]]])(
  "a hello that is cut off is refused: %p",
  (fields) => {
    expect(() => parseHello(hello(fields))).toThrow("cut off");
  },
);
