import { describe, expect, test } from "bun:test";
import {
  attribute,
  concat,
  decodeAttributes,
  decodeString,
  decodeU32,
  listAttributes,
} from "./attributes.ts";
import { decodeAnswer, decodeMessages, encodeMessages, NLMSG_ERROR } from "./messages.ts";

describe("attributes", () => {
  test("are padded to four bytes and read back", () => {
    const nested = attribute.nested(2, [attribute.u32(1, 7), attribute.string(3, "eth0")]);
    expect(nested.length).toBe(4 + 8 + 12);
    const [[type, value] = [0, new Uint8Array()]] = listAttributes(nested);
    const inner = decodeAttributes(value);
    expect(type).toBe(2);
    expect(decodeU32(inner.get(1) ?? value)).toBe(7);
    expect(decodeString(inner.get(3) ?? value)).toBe("eth0");
  });

  test("have both byte orders", () => {
    expect([...attribute.u16(1, 0x1234)]).toEqual([6, 0, 1, 0, 0x34, 0x12, 0, 0]);
    expect([...attribute.be16(1, 0x1234)]).toEqual([6, 0, 1, 0, 0x12, 0x34, 0, 0]);
  });

  test("that are broken end the list", () => {
    const good = attribute.u8(1, 1);
    for (const tail of [
      [1, 0, 0, 0],
      [200, 0, 1, 0],
      [4, 0],
    ])
      expect(listAttributes(concat([good, new Uint8Array(tail)])).map(([type]) => type)).toEqual([1]);
  });

  test("cannot be longer than 65535 bytes", () => {
    expect(() => attribute.bytes(1, new Uint8Array(65536))).toThrow(RangeError);
  });
});

describe("messages", () => {
  test("are numbered one by one", () => {
    const body = new Uint8Array([1, 2, 3, 4, 5]);
    const bytes = encodeMessages(
      [
        { type: 16, flags: 4, body },
        { type: 17, flags: 0, body: new Uint8Array() },
      ],
      41,
    );
    expect(decodeMessages(bytes)).toEqual([
      { type: 16, flags: 5, sequence: 41, body },
      { type: 17, flags: 1, sequence: 42, body: new Uint8Array() },
    ]);
  });

  test("that are cut off are left out", () => {
    const bytes = encodeMessages([{ type: 16, flags: 0, body: new Uint8Array(8) }], 1);
    expect(decodeMessages(bytes.subarray(0, 20))).toEqual([]);
  });

  test("an answer has errno and the kernel's explanation", () => {
    const errno = new Uint8Array(new Int32Array([-17]).buffer);
    const body = concat([errno, new Uint8Array(16), attribute.string(1, "taken")]);
    const flags = 0x100 | 0x200; // capped, with attributes
    const message = { type: NLMSG_ERROR, flags, sequence: 1, body };
    expect(decodeAnswer(message)).toEqual({ errno: 17, explanation: "taken" });
  });
});
