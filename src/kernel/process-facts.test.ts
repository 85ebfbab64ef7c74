import { expect, test } from "bun:test";
import { isProcessAlive, parseProcessStat, readProcessFacts } from "./process-facts.ts";

test("a name with parentheses and blanks does not shift the fields", () => {
  const fields = ["S", "41", ...Array.from({ length: 17 }, () => "0"), "4711", "0"];
  expect(parseProcessStat(`42 (a) b) (c) ${fields.join(" ")}\n`)).toEqual({
    state: "S",
    parent: 41,
    startTime: 4711,
  });
  expect(parseProcessStat("")).toBeUndefined();
});

test("a process is itself only with its own start time", () => {
  const startTime = readProcessFacts(process.pid)?.startTime ?? 0;
  expect(isProcessAlive(process.pid, startTime)).toBe(true);
  expect(isProcessAlive(process.pid, startTime + 1)).toBe(false);
});
