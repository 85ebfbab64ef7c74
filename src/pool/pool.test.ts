import { expect, test } from "bun:test";
import { Pool } from "./pool.ts";

/** A pool of numbers; `made` resolves when the given number exists. */
function numbers(size: number) {
  const dropped: number[] = [];
  const failures: unknown[] = [];
  const waiting = new Map<number, () => void>();
  let last = 0;
  let broken = false;
  const pool = new Pool<number>({
    size,
    delayMs: 0,
    delayWhenEmptyMs: 0,
    make: async () => {
      if (broken) throw new Error("broken");
      last += 1;
      waiting.get(last)?.();
      return last;
    },
    drop: async (item) => {
      dropped.push(item);
    },
    failed: (error) => {
      failures.push(error);
      waiting.get(-1)?.();
    },
  });
  const made = (number: number) =>
    last >= number ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(number, resolve));
  const failed = () => new Promise<void>((resolve) => waiting.set(-1, resolve));
  return { pool, dropped, failures, made, failed, breakIt: () => (broken = true) };
}

test("an empty pool makes one at once", async () => {
  const { pool } = numbers(2);
  expect(await pool.take()).toBe(1);
  await pool.close();
});

test("prepared ones are taken in their order, and made again", async () => {
  const { pool, made, dropped } = numbers(2);
  pool.scheduleRefill();
  await made(2);
  expect([await pool.take(), await pool.take()]).toEqual([1, 2]);
  await made(4);
  await pool.close();
  expect(dropped).toEqual([3, 4]);
});

test("a failed refill is told, and does not end the pool", async () => {
  const { pool, failures, breakIt, failed } = numbers(1);
  breakIt();
  pool.scheduleRefill();
  await failed();
  expect(failures).toHaveLength(1);
  await expect(pool.take()).rejects.toThrow("broken");
  await pool.close();
});

test("a pool of size 0 prepares nothing", async () => {
  const { pool, dropped } = numbers(0);
  pool.scheduleRefill();
  expect(await pool.take()).toBe(1);
  await pool.close();
  expect(dropped).toEqual([]);
});
