import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenUnix } from "../kernel/unix-sockets.ts";
import { connectShim } from "./connect-shim.ts";
import { isNobodyThere } from "./shim-directory.ts";

const directory = mkdtempSync(join(tmpdir(), "gantry-connect-shim-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("a shim that ends between the connection and the first message is nobody, and leaves no descriptor", () => {
  const path = join(directory, "shim.sock");
  const before = readdirSync("/proc/self/fd").length;
  const listener = listenUnix(path, { mode: 0o600 });
  const end = () => {
    closeSync(listener);
    return Buffer.from("first");
  };
  let error: unknown;
  try {
    connectShim(path, end);
  } catch (thrown) {
    error = thrown;
  }
  expect(isNobodyThere(error)).toBe(true);
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});
