import { expect, test } from "bun:test";
import { Limit } from "./limit.ts";

const never = new AbortController().signal;

test("places are given in the order of asking, and only those who wait are told", async () => {
  const limit = new Limit(1);
  const order: string[] = [];
  const first = await limit.enter(never, () => order.push("first waits"));
  const enter = async (name: string) => {
    const place = await limit.enter(never, () => order.push(`${name} waits`));
    order.push(name);
    place[Symbol.dispose]();
  };
  const others = [enter("second"), enter("third")];
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await Promise.all(others);
  expect(order).toEqual(["second waits", "third waits", "second", "third"]);
});

test("one who gives up waiting takes no place", async () => {
  const limit = new Limit(1);
  const abort = new AbortController();
  const first = await limit.enter(never);
  const second = limit.enter(abort.signal).catch((error: unknown) => error);
  const third = limit.enter(never);
  abort.abort(new Error("gone"));
  expect(await second).toEqual(new Error("gone"));
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  (await limit.enter(never, () => expect.unreachable()))[Symbol.dispose]();
});
