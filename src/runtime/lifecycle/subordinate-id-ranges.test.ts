import { expect, test } from "bun:test";
import { parseSubordinateIds, uncoveredId } from "./subordinate-id-ranges.ts";

const text = `# comment
ann:100000:65536
1000:200000:10
bob:300000:65536
ann:broken:1
ann:400000
ann:-5:10
`;

test("ranges belong to a user by name or by number; damaged lines give nothing", () => {
  expect(parseSubordinateIds(text, ["ann", "1000"])).toEqual([
    { start: 100000, count: 65536 },
    { start: 200000, count: 10 },
  ]);
  expect(parseSubordinateIds(text, ["an"])).toEqual([]);
});

test.each([
  [100000, 65536, undefined],
  [100000, 65537, 165536],
  [99999, 2, 99999],
  [165530, 10, 165536],
])("ids from %d, %d of them: the first that is not covered is %p", (first, size, expected) => {
  expect(uncoveredId([{ start: 100000, count: 65536 }], first, size)).toBe(expected);
});

test("neighbouring ranges cover one mapping together", () => {
  const ranges = [
    { start: 110, count: 10 },
    { start: 100, count: 10 },
  ];
  expect(uncoveredId(ranges, 100, 20)).toBeUndefined();
  expect(uncoveredId(ranges, 100, 21)).toBe(120);
});
