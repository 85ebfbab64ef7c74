import { describe, expect, test } from "bun:test";
import { booleanQuery, filtersQuery, integerQuery, sizeQuery, timestampQuery } from "./query.ts";

const query = (text: string): URLSearchParams => new URLSearchParams(text);

test.each([
  ["", false],
  ["all=", false],
  ["all=0", false],
  ["all=No", false],
  ["all= false ", false],
  ["all=none", false],
  ["all=1", true],
  ["all=true", true],
  ["all=anything", true],
])("in %p all is %p", (text, wanted) => {
  expect(booleanQuery(query(text), "all")).toBe(wanted);
});

test("an absent boolean takes its default, a given one does not", () => {
  expect(booleanQuery(query(""), "quiet", true)).toBe(true);
  expect(booleanQuery(query("quiet=0"), "quiet", true)).toBe(false);
});

test("integers", () => {
  expect(integerQuery(query("t=-1"), "t")).toBe(-1);
  expect(integerQuery(query("t="), "t")).toBeUndefined();
  expect(() => integerQuery(query("t=ten"), "t")).toThrow('invalid value "ten" for t');
});

test("both sizes are required", () => {
  expect(sizeQuery(query("h=24&w=80"))).toEqual({ rows: 24, columns: 80 });
  expect(() => sizeQuery(query("h=24"))).toThrow("width");
  expect(() => sizeQuery(query("h=-1&w=80"))).toThrow("height");
});

test("timestamps have nanoseconds, and 0 is no limit", () => {
  expect(timestampQuery(query("since=5.25"), "since")).toBe(5_250_000_000n);
  expect(timestampQuery(query("since=0"), "since")).toBeUndefined();
});

describe("filters", () => {
  test.each([['{"label":{"a=1":true,"b":true}}'], ['{"label":["a=1","b"]}']])("%s", (text) => {
    expect(filtersQuery(new URLSearchParams({ filters: text })).get("label")).toEqual(["a=1", "b"]);
  });
  test.each([["{"], ["[]"], ['{"a":1}'], ["null"], ['{"a":[1]}']])("%s is refused", (text) => {
    expect(() => filtersQuery(new URLSearchParams({ filters: text }))).toThrow("invalid filter");
  });
});
