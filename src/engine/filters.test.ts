import { describe, expect, test } from "bun:test";
import {
  allMatch,
  anyMatches,
  booleanFilter,
  checkFilterKeys,
  hasLabel,
  matchesPattern,
  parseTimestampNs,
} from "./filters.ts";

const filters = new Map([["label", ["a=1", "b"]]]);

test("an unknown key is refused with Docker's wording", () => {
  expect(() => checkFilterKeys(new Map([["colour", ["red"]]]), ["label"])).toThrow("invalid filter 'colour'");
  expect(() => checkFilterKeys(filters, ["label"])).not.toThrow();
});

test("an absent key matches everything", () => {
  expect(anyMatches(filters, "name", () => false)).toBe(true);
  expect(allMatch(filters, "name", () => false)).toBe(true);
});

test("values are joined by or, labels by and", () => {
  expect(anyMatches(filters, "label", (value) => value === "b")).toBe(true);
  expect(allMatch(filters, "label", (value) => value === "b")).toBe(false);
});

test.each([
  ["a", true],
  ["a=1", true],
  ["a=2", false],
  ["b", true],
  ["b=", true],
  ["toString", false],
])("label filter %p on a=1 and an empty b gives %p", (wanted, result) => {
  expect(hasLabel({ a: "1", b: "" }, wanted)).toBe(result);
});

test("a name matches as a regular expression, and a broken one does not throw", () => {
  expect(matchesPattern("web-1", "^web")).toBe(true);
  expect(matchesPattern("web-1", "eb-")).toBe(true);
  expect(matchesPattern("web-1", "[")).toBe(false);
});

describe("a yes-or-no filter", () => {
  test.each([
    [["true"], true],
    [["0"], false],
  ])("%p is %p", (values, wanted) => {
    expect(booleanFilter(new Map([["dangling", values]]), "dangling")).toBe(wanted);
  });
  test("that says both or neither is refused", () => {
    expect(() => booleanFilter(new Map([["dangling", ["maybe"]]]), "dangling")).toThrow("invalid filter");
    expect(() => booleanFilter(new Map([["dangling", ["1", "0"]]]), "dangling")).toThrow("invalid filter");
  });
});

test.each([
  ["12", 12_000_000_000n],
  ["12.5", 12_500_000_000n],
  ["1.000000001", 1_000_000_001n],
  ["1970-01-01T00:00:01Z", 1_000_000_000n],
])("timestamp %p is %p ns", (text, wanted) => {
  expect(parseTimestampNs(text)).toBe(wanted);
});

test("a broken timestamp is refused", () => {
  expect(() => parseTimestampNs("yesterday")).toThrow('invalid timestamp "yesterday"');
});
