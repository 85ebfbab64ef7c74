import { beforeAll, describe, expect, test } from "bun:test";
import { bunHost } from "../testing/bun-host.ts";
import { Buffer as OwnBuffer } from "./buffer.ts";
import { TextDecoder as OwnDecoder, TextEncoder as OwnEncoder } from "./text.ts";

beforeAll(() => {
  globalThis.gantryHost = bunHost;
});

const texts = ["", "plain", "grüße 😀", "a\0b", "\0", "\0\0end\0", "x".repeat(10_000)];

describe("text of the environment", () => {
  test.each(texts)("%j there and back", (text) => {
    const bytes = new OwnEncoder().encode(text);
    expect(Buffer.from(bytes)).toEqual(Buffer.from(text));
    expect(new OwnDecoder().decode(bytes)).toBe(text);
    expect(OwnBuffer.from(text).toString()).toBe(text);
    expect(OwnBuffer.byteLength(text)).toBe(Buffer.byteLength(text));
  });

  test("malformed bytes are replaced, or refused", () => {
    const malformed = new Uint8Array([0x61, 0xff, 0x62]);
    expect(new OwnDecoder().decode(malformed)).toBe("a\uFFFDb");
    expect(() => new OwnDecoder("utf-8", { fatal: true }).decode(malformed)).toThrow(TypeError);
    const honest = new TextEncoder().encode("a\uFFFDb");
    expect(new OwnDecoder("utf-8", { fatal: true }).decode(honest)).toBe("a\uFFFDb");
  });

  test("a byte order mark is kept when it is asked for", () => {
    const bytes = new TextEncoder().encode("\uFEFFx");
    expect(new OwnDecoder().decode(bytes)).toBe("x");
    expect(new OwnDecoder("utf-8", { ignoreBOM: true }).decode(bytes)).toBe("\uFEFFx");
  });

  test("a text that does not fit is cut", () => {
    const bytes = OwnBuffer.alloc(6, 0x2e);
    expect(bytes.write("abcdefgh", 2, 3)).toBe(3);
    expect(bytes.toString("latin1")).toBe("..abc.");
    expect(bytes.write("\0z", 4)).toBe(2);
    expect([...bytes]).toEqual([...Buffer.from("..ab\0z")]);
  });
});

describe("Buffer of the environment", () => {
  test("numbers are read as Node reads them", () => {
    const bytes = [0xff, 0xfe, 0x80, 0x90, 0x01, 0x02, 0x03, 0x84, 0x05, 0x06];
    const [own, real] = [OwnBuffer.from(bytes), Buffer.from(bytes)];
    for (const at of [0, 1, 2, 4]) {
      expect(own.readUInt16LE(at)).toBe(real.readUInt16LE(at));
      expect(own.readUInt32LE(at)).toBe(real.readUInt32LE(at));
      expect(own.readInt32LE(at)).toBe(real.readInt32LE(at));
    }
    expect(own.readBigUInt64LE(1)).toBe(real.readBigUInt64LE(1));
    expect(() => own.readUInt32LE(8)).toThrow(RangeError);
  });

  test("parts, copies and other encodings", () => {
    const parts = OwnBuffer.concat([
      OwnBuffer.from("ab"),
      new Uint8Array([99]),
      OwnBuffer.from("6465", "hex"),
    ]);
    expect(parts.toString()).toBe("abcde");
    expect(parts.toString("hex")).toBe("6162636465");
    expect(parts.toString("utf8", 1, 3)).toBe("bc");
    expect(parts.subarray(3).toString()).toBe("de");
    expect(OwnBuffer.from([0xe4, 0x41]).toString("latin1")).toBe("äA");
    const view = OwnBuffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 2);
    expect([...view]).toEqual([2, 3]);
    expect(parts.indexOf("cd")).toBe(2);
    expect(parts.indexOf(0x64, 1)).toBe(3);
    expect(parts.includes("de")).toBe(true);
    expect(parts.equals(Buffer.from("abcde"))).toBe(true);
    expect(parts.slice(1, 3).toString()).toBe("bc");
    const target = OwnBuffer.alloc(3);
    expect(parts.copy(target, 1)).toBe(2);
    expect([...target]).toEqual([0, 97, 98]);
  });
});
