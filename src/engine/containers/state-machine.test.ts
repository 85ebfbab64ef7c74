import { expect, test } from "bun:test";
import { isLive, next } from "./state-machine.ts";

test.each([
  ["created", "start", "running"],
  ["created", "exit", undefined],
  ["running", "start", undefined], // "already so": the caller answers 304
  ["running", "pause", "paused"],
  ["running", "exit", "exited"],
  ["running", "remove", undefined], // needs force: exit comes first
  ["paused", "start", undefined],
  ["paused", "unpause", "running"],
  ["paused", "exit", "exited"], // a paused container can still be killed
  ["exited", "start", "running"],
  ["exited", "remove", "removing"],
  ["removing", "start", undefined],
  ["removing", "remove", undefined],
] as const)("next(%p, %p) is %p", (state, event, wanted) => {
  expect(next(state, event)).toBe(wanted);
});

test("only running and paused containers have a process", () => {
  const all = ["created", "running", "paused", "exited", "removing"] as const;
  expect(all.filter(isLive)).toEqual(["running", "paused"]);
});
