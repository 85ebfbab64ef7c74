import { describe, expect, test } from "bun:test";
import { parse, rawJSON, stringify } from "./json.ts";

const exact = (_key: string, value: unknown, { source }: { source?: string }): unknown =>
  typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined ? BigInt(source) : value;

describe("JSON of the environment", () => {
  test("integers beyond 2^53 reach a reviver with their digits", () => {
    const text = '{"a":[18446744073709551615,-9223372036854775808,1],"b":"12345678901234567890","c\\"1":1.5}';
    expect(parse(text, exact)).toEqual({
      a: [18446744073709551615n, -9223372036854775808n, 1],
      b: "12345678901234567890",
      'c"1': 1.5,
    });
  });

  test("long numbers that are no integers stay numbers", () => {
    const numbers = ["1234567890123456789.5", "12345678901234567e3"];
    expect(parse(`[${numbers.join()}]`, exact)).toEqual(numbers.map(Number));
  });

  test("without a reviver, and what is malformed, as ever", () => {
    expect(parse('{"a":1}')).toEqual({ a: 1 });
    expect(() => parse("{]")).toThrow(SyntaxError);
    expect(() => parse("[1234567890123456789,]", exact)).toThrow(SyntaxError);
  });

  test("raw numbers are written as they are", () => {
    const digits = (_key: string, value: unknown) =>
      typeof value === "bigint" ? rawJSON(String(value)) : value;
    expect(stringify({ a: 18446744073709551615n, b: [-1n, "18446744073709551615"], c: 2 }, digits)).toBe(
      '{"a":18446744073709551615,"b":[-1,"18446744073709551615"],"c":2}',
    );
    expect(stringify({ a: 1 }, undefined, 2)).toBe('{\n  "a": 1\n}');
    expect(stringify({ a: 1, b: 2 }, ["b"])).toBe('{"b":2}');
  });
});
