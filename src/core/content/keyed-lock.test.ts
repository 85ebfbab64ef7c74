import { expect, test } from "bun:test";
import { KeyedLock } from "./keyed-lock.ts";

test("one holder for each key, in the order of asking; other keys do not wait", async () => {
  const lock = new KeyedLock();
  const order: string[] = [];
  const first = await lock.acquire("a");
  const waiting = ["second", "third"].map(async (name) => {
    using _ = await lock.acquire("a");
    order.push(name);
  });
  using _other = await lock.acquire("b");
  order.push("first ends");
  first[Symbol.dispose]();
  await Promise.all(waiting);
  expect(order).toEqual(["first ends", "second", "third"]);
});

test("one who gives up waiting does not let the next one in too early", async () => {
  const lock = new KeyedLock();
  const abort = new AbortController();
  const first = await lock.acquire("a");
  const second = lock.acquire("a", abort.signal).catch((error: unknown) => error);
  let isIn = false;
  const third = lock.acquire("a").then((turn) => {
    isIn = true;
    return turn;
  });
  abort.abort(new Error("gone"));
  expect(await second).toEqual(new Error("gone"));
  expect(isIn).toBe(false);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
});
