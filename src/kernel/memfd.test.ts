import { expect, test } from "bun:test";
import { chmodSync, closeSync, readFileSync, writeSync } from "node:fs";
import { addon } from "./addon.ts";
import { hasSealedMode, sealedMemfd, sealedMemfdOf } from "./memfd.ts";
import { waitForChild } from "./processes.ts";

test("a sealed memory file cannot be changed", () => {
  const fd = sealedMemfd("sealed", new TextEncoder().encode("content"));
  expect(readFileSync(`/proc/self/fd/${fd}`, "utf8")).toBe("content");
  expect(() => writeSync(fd, "x")).toThrow("EPERM");
  closeSync(fd);
});

test("where the kernel can seal it, the right to execute it stays", () => {
  const fd = sealedMemfd("sealed", new TextEncoder().encode("content"));
  const takeAway = () => chmodSync(`/proc/self/fd/${fd}`, 0);
  if (hasSealedMode(fd)) expect(takeAway).toThrow("EPERM");
  else expect(takeAway).not.toThrow();
  closeSync(fd);
});

test("a program runs from a sealed memory file", async () => {
  const fd = sealedMemfdOf("program", "/bin/sh");
  const pid = addon.spawn(`/proc/self/fd/${fd}`, ["sh", "-c", "exit 42"], [], []);
  closeSync(fd);
  expect(await waitForChild(pid)).toEqual({ kind: "exited", exitCode: 42 });
});
