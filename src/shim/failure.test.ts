import { describe, expect, test } from "bun:test";
import { errnoNumber } from "../kernel/errno.ts";
import type { KernelStep, Plan } from "../kernel/steps.ts";
import { failureError } from "./failure.ts";
import { NO_STEP } from "./protocol.ts";

const number = (name: string) => errnoNumber(name) ?? 0;
const plan = (step: KernelStep): Plan => ({
  steps: [{ phase: "start", reason: "-", op: "new-session" }, step],
});
const fail = (step: KernelStep, errno: string, detail = "") =>
  failureError(plan(step), { stepIndex: 1, errno: number(errno), detail });
const exec = (name: string): KernelStep => ({
  phase: "start",
  reason: "image config Cmd",
  op: "exec",
  args: [name],
  env: [],
  preserveFds: 0,
});

describe("failureError", () => {
  test.each([
    ["sh", "ENOENT", "", 'exec: "sh": executable file not found in $PATH', "exec.not-found"],
    ["/x", "ENOENT", "", 'exec: "/x": stat /x: no such file or directory', "exec.not-found"],
    ["/x", "ENOENT", "/x", 'exec: "/x": no such file or directory', "exec.interpreter-missing"],
    ["/x", "EACCES", "/x", 'exec: "/x": permission denied', "exec.not-executable"],
    ["/x", "EISDIR", "/x", 'exec: "/x": is a directory', "exec.is-directory"],
    ["x", "ENOEXEC", "/bin/x", 'exec: "x": exec format error', "exec.bad-format"],
    ["x", "E2BIG", "/bin/x", 'exec: "x": argument list too long', "errno.E2BIG"],
  ])("exec of %s with %s", (name, errno, detail, message, code) => {
    const error = fail(exec(name), errno, detail);
    expect([error.message, error.code, error.kind]).toEqual([message, code, "InvalidParameter"]);
  });

  test("a step is named with its arguments, the kernel's text and its reason", () => {
    const error = fail(
      { phase: "setup", reason: "--hostname", op: "set-hostname", name: "x".repeat(3) },
      "EINVAL",
    );
    expect(error.message).toBe("set the host name xxx: invalid argument (--hostname)");
    expect(error.kind).toBe("System");
    expect(error.code).toBe("errno.EINVAL");
  });

  test("a detail that the description does not have is added", () => {
    const step: KernelStep = {
      phase: "setup",
      reason: "default",
      op: "mount",
      fstype: "tmpfs",
      source: "tmpfs",
      target: "/dev",
      attributes: 0,
      data: [],
    };
    expect(fail(step, "EPERM", "move_mount /dev").message).toBe(
      "mount tmpfs on /dev: move_mount /dev: operation not permitted (default)",
    );
    expect(fail(step, "EPERM", "/dev").message).toBe(
      "mount tmpfs on /dev: operation not permitted (default)",
    );
  });

  test("a limit that was refused says whose fault it is", () => {
    const error = fail(
      {
        phase: "start",
        reason: "--ulimit nofile=1:2",
        op: "set-rlimit",
        resource: 7,
        name: "RLIMIT_NOFILE",
        soft: 1n,
        hard: 2n,
      },
      "EPERM",
      "RLIMIT_NOFILE",
    );
    expect(error.message).toBe("set RLIMIT_NOFILE to 1:2: operation not permitted (--ulimit nofile=1:2)");
    expect(error.hint).toContain("may not raise this limit");
  });

  test("a failure without a step says what it can", () => {
    const lost = failureError(undefined, {
      stepIndex: NO_STEP,
      errno: number("ECANCELED"),
      detail: "the engine",
    });
    expect(lost.message).toBe("the engine: operation canceled");
    const bare = failureError(undefined, { stepIndex: 0, errno: number("EIO"), detail: "" });
    expect(bare.message).toBe("start the container's process: input/output error");
  });
});
