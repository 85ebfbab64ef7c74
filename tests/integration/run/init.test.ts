import { describe, expect, test } from "bun:test";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";

const machine = useMachine("init", ["busybox"]);

describe.each(clients)("run --init, with %s", (client) => {
  const call = (...args: string[]) => machine.engine[client](args);
  const run = (...args: string[]) => call("run", "--rm", "--init", "busybox", ...args);

  test("makes the command the child of process 1", async () => {
    const { stdout } = await run("sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; echo $PPID");
    expect(stdout).toBe("/sbin/docker-init -- sh -c cat /proc/1/cmdline | tr '\\0' ' '; echo $PPID 1\n");
  });

  test.each([
    [["true"], 0],
    [["sh", "-c", "exit 42"], 42],
    [["sh", "-c", "kill -KILL $$"], 137],
    [["no-such-command"], 127],
    [["/etc"], 126],
  ] as const)("%j ends with %d", async (argv, exitCode) => {
    expect((await run(...argv)).exitCode).toBe(exitCode);
  });

  test("passes signals on: a command without a handler ends at once, as it would outside", async () => {
    const name = `init-${client}`;
    await call("run", "-d", "--name", name, "--init", "busybox", "sleep", "600");
    await call("kill", "-s", "TERM", name);
    expect((await call("wait", name)).stdout).toBe("143\n");
    await call("rm", name);
  });

  test("reaps orphans", async () => {
    const script = "(sleep 0.1 & exec true); sleep 0.5; grep -l '^State:.Z' /proc/[0-9]*/status; true";
    expect((await run("sh", "-c", script)).stdout).toBe("");
  });
});
