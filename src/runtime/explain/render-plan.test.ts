import { describe, expect, test } from "bun:test";
import type { KernelStep, Plan } from "../../kernel/steps.ts";
import { renderPlan } from "./render-plan.ts";

const plan: Plan = {
  steps: [
    { phase: "host", reason: "--memory 1k", op: "write-cgroup", file: "/c/memory.max", value: "1024" },
    {
      phase: "setup",
      reason: "default",
      op: "mount",
      fstype: "proc",
      source: "proc",
      target: "/proc",
      attributes: 14,
      data: ["hidepid=2"],
    },
    { phase: "start", reason: "default", op: "set-bounding", mask: (1n << 0n) | (1n << 21n) },
    {
      phase: "start",
      reason: "default",
      op: "set-rlimit",
      resource: 7,
      name: "RLIMIT_NOFILE",
      soft: 5n,
      hard: (1n << 64n) - 1n,
    },
    { phase: "start", reason: "profile", op: "load-seccomp", program: new Uint8Array(24), flags: 0 },
    {
      phase: "start",
      reason: "command line",
      op: "exec",
      args: ["sh", "-c", "echo 'hi'"],
      env: ["A=b"],
      preserveFds: 0,
    },
  ],
};

test("text groups by phase and topic, with the reasons at the right", () => {
  const seccomp = {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [{ names: ["read", "write"], action: "SCMP_ACT_ALLOW" }],
  } as const;
  expect(renderPlan(plan, "text", { seccomp })).toBe(
    [
      "On the host, before the container's process exists",
      "  Limits",
      "    write 1024 to /c/memory.max                                                                # --memory 1k",
      "",
      "In the new process, before it is created",
      "  Mounts",
      "    mount proc on /proc, NOSUID|NODEV|NOEXEC, hidepid=2                                        # default",
      "",
      "At start",
      "  Privileges",
      "    bounding set: CHOWN SYS_ADMIN                                                              # default",
      "  Process",
      "    limit RLIMIT_NOFILE to 5, at most unlimited                                                # default",
      "  Privileges",
      "    filter system calls: 3 BPF instructions; 2 calls allowed; all others refused with errno 1  # profile",
      "  Program",
      "    exec sh -c 'echo '\\''hi'\\''' with 1 variable                                               # command line",
      "",
    ].join("\n"),
  );
});

describe("JSON", () => {
  test("loses nothing", () => {
    const parsed: unknown = JSON.parse(renderPlan(plan, "json"));
    expect(parsed).toMatchObject({
      steps: [
        plan.steps[0],
        plan.steps[1],
        { mask: "2097153" },
        { hard: "18446744073709551615" },
        { program: Buffer.alloc(24).toString("base64") },
        plan.steps[5],
      ],
    });
  });
});

test("what an image wrote cannot move the cursor", () => {
  const hostile: KernelStep = {
    phase: "setup",
    reason: "x\ny",
    op: "set-hostname",
    name: "a\u001b[2J\u202e",
  };
  const text = renderPlan({ steps: [hostile] }, "text");
  expect(text).toContain("a\\u{1b}[2J\\u{202e}");
  expect(text.split("\n")).toHaveLength(4);
});
