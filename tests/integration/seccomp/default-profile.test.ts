import { expect, test } from "bun:test";
import { join } from "node:path";

const EPERM = -1;
const ENOSYS = -38;

test("the kernel takes the default filter and answers as the profile says", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts")], { stdout: "pipe" });
  const answers: unknown = JSON.parse(await new Response(child.stdout).text());
  expect(await child.exited).toBe(0);
  expect(answers).toEqual({
    loaded: [0, 0],
    getpid: true,
    mount: EPERM,
    unshare: EPERM,
    clone3: ENOSYS,
    newer: ENOSYS,
    algSocket: EPERM,
    unixSocket: true,
  });
});
