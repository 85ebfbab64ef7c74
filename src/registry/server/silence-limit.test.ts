import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { SilenceLimit } from "./silence-limit.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function watched() {
  const stream = { destroyed: false, destroy: () => (stream.destroyed = true) };
  return stream;
}

test("destroys what is silent for too long, counted from the last movement", () => {
  const stream = watched();
  const limit = new SilenceLimit(stream, 1000);
  jest.advanceTimersByTime(900);
  limit.restart();
  jest.advanceTimersByTime(900);
  expect(stream.destroyed).toBe(false);
  jest.advanceTimersByTime(100);
  expect(stream.destroyed).toBe(true);
});

test("spares what is paused or done", () => {
  const paused = watched();
  new SilenceLimit(paused, 1000).pause();
  const done = watched();
  {
    using _limit = new SilenceLimit(done, 1000);
  }
  jest.advanceTimersByTime(5000);
  expect([paused.destroyed, done.destroyed]).toEqual([false, false]);
});
