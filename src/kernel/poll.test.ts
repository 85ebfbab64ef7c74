import { expect, test } from "bun:test";
import { closeSync, writeSync } from "node:fs";
import { makePipe } from "./child-processes.ts";
import { POLLHUP, POLLIN, poll, pollAsync } from "./poll.ts";

test("tells what is ready, and 0 when nothing is", async () => {
  const { readEnd, writeEnd } = makePipe();
  const requests = [
    { fd: readEnd, events: POLLIN },
    { fd: -1, events: POLLIN },
  ];
  expect(poll(requests, 0)).toEqual([0, 0]);
  writeSync(writeEnd, "x");
  expect(poll(requests)).toEqual([POLLIN, 0]);
  closeSync(writeEnd);
  expect(await pollAsync(requests)).toEqual([POLLIN | POLLHUP, 0]);
  closeSync(readEnd);
});
