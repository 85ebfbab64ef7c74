import { expect, test } from "bun:test";
import { humanDuration, statusText } from "./status-text.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

test.each([
  [0, "Less than a second"],
  [999, "Less than a second"],
  [1000, "1 second"],
  [59_999, "59 seconds"],
  [minute, "About a minute"],
  [59 * minute, "59 minutes"],
  [hour, "About an hour"],
  [100 * minute, "2 hours"], // half an hour rounds up
  [47 * hour, "47 hours"],
  [48 * hour, "2 days"],
  [13 * day, "13 days"],
  [14 * day, "2 weeks"],
  [60 * day, "2 months"],
  [730 * day, "2 years"],
])("a duration of %p ms reads %p", (ms, wanted) => {
  expect(humanDuration(ms)).toBe(wanted);
});

test.each([
  ["created", "Created"],
  ["running", "Up 3 minutes"],
  ["paused", "Up 3 minutes (Paused)"],
  ["exited", "Exited (137) 2 minutes ago"],
  ["removing", "Removal In Progress"],
] as const)("a container that is %p shows %p", (status, wanted) => {
  const now = 10 * hour;
  const facts = { status, exitCode: 137, startedAtMs: now - 3 * minute, finishedAtMs: now - 2 * minute };
  expect(statusText(facts, now)).toBe(wanted);
});
