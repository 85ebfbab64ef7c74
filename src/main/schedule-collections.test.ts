import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { scheduleCollections } from "./schedule-collections.ts";

const hourMs = 3600_000;
const collection = { dryRun: false, graceMs: hourMs, uploadAgeMs: hourMs, what: "unneeded" } as const;
const nothing = { dryRun: false, items: [], freedBytes: 0 };

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test.each([
  [undefined, ["uploads", "uploads"]],
  [8 * hourMs, Array(6).fill("all")],
])("with the interval %p two days bring %j, and none after the end", (collectionIntervalMs, wanted) => {
  const done: string[] = [];
  const noting = (what: string) => async () => {
    done.push(what);
    return nothing;
  };
  const collector = { collect: noting("all"), collectUploads: noting("uploads") };
  const schedule = scheduleCollections(collector, { collection, collectionIntervalMs });
  jest.advanceTimersByTime(48 * hourMs);
  schedule[Symbol.dispose]();
  jest.advanceTimersByTime(48 * hourMs);
  expect(done).toEqual(wanted);
});
