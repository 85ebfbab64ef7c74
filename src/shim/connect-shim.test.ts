import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenUnix } from "../kernel/unix-sockets.ts";
import { connectShim } from "./connect-shim.ts";
import { isNobodyThere } from "./shim-directory.ts";

const directory = mkdtempSync(join(tmpdir(), "gantry-connect-shim-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Sockets only: other threads of the run open and close files meanwhile. */
const sockets = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).startsWith("socket:")).length;

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // that of the listing
  }
}

test("a shim that ends between the connection and the first message is nobody, and leaves no descriptor", () => {
  const path = join(directory, "shim.sock");
  const listener = listenUnix(path, { mode: 0o600 });
  let connected = 0;
  const end = () => {
    connected = sockets();
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
  expect(sockets()).toBe(connected - 2); // the listener, and the connection
});
