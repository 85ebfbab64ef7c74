import { expect, test } from "bun:test";
import { planEnvironment } from "./plan-environment.ts";

test.each([
  [[], []],
  [
    ["A=1", "B="],
    ["A=1", "B="],
  ],
  [
    ["A=1", "B=2", "A=3"],
    ["A=3", "B=2"],
  ], // the last value, in the first place
  [
    ["A=1", "a=2"],
    ["A=1", "a=2"],
  ],
  [["A=b=c"], ["A=b=c"]],
])("planEnvironment(%j) is %j", (entries, wanted) => {
  expect(planEnvironment(entries)).toEqual(wanted);
});

test.each(["A", "=b", "", "="])("%j is refused", (entry) => {
  expect(() => planEnvironment(["X=1", entry])).toThrow(
    `invalid environment variable: ${JSON.stringify(entry)}`,
  );
});
