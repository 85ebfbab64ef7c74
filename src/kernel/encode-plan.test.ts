import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { encodePlan, opcodes } from "./encode-plan.ts";
import type { KernelOperation, KernelStep, Phase } from "./steps.ts";

const helper = join(import.meta.dirname, "../../build/helper/gantry-helper");
const step = (phase: Phase, operation: KernelOperation): KernelStep => ({
  phase,
  reason: "test",
  ...operation,
});
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Every operation of the helper's phases once, with every optional field present somewhere and absent somewhere. */
const everything: KernelStep[] = [
  step("host", { op: "make-cgroup", path: "/sys/fs/cgroup/x" }),
  step("clone", { op: "join-namespace", namespace: "time", path: "/proc/1/ns/time" }),
  step("clone", { op: "clone", namespaces: ["mount", "pid", "cgroup"] }),
  step("clone", { op: "write-id-map", kind: "gid", map: "0 1 2\n" }),
  step("clone", { op: "write-id-map", kind: "uid", map: "0 1 2\n", tool: "/usr/bin/newuidmap" }),
  step("clone", { op: "write-time-offset", clock: "boottime", secs: -5, nanosecs: 7 }),
  step("clone", { op: "join-cgroup", file: "/sys/fs/cgroup/x/cgroup.procs" }),
  step("clone", { op: "unshare-cgroup" }),
  step("setup", { op: "set-propagation", target: "/", flags: 0x84000 }),
  step("setup", { op: "open-root", source: "/röot \u{1f433}" }),
  step("setup", {
    op: "mount",
    fstype: "tmpfs",
    source: "tmpfs",
    target: "/dev",
    attributes: 2,
    data: ["mode=755", "nr_inodes"],
    copyUp: true,
  }),
  step("setup", {
    op: "bind",
    source: "/a",
    target: "/b",
    targetKind: "file",
    recursive: true,
    attributes: { set: 1, clear: 0x70 },
    attributesRecursive: false,
    propagation: 1 << 18,
    idMap: { uid: "0 1 1\n", gid: "0 2 1\n" },
  }),
  step("setup", { op: "remount", target: "/x", attributes: { set: 0x100000, clear: 8 }, recursive: true }),
  step("setup", { op: "mask-path", path: "/proc/kcore" }),
  step("setup", { op: "readonly-path", path: "/proc/sys" }),
  step("setup", {
    op: "make-device",
    path: "/dev/p",
    kind: "p",
    major: 0,
    minor: 0,
    mode: 0o600,
    uid: 4294967294,
    gid: 1,
  }),
  step("setup", { op: "bind-device", source: "/dev/sda", path: "/dev/b", kind: "b", major: 8, minor: 1 }),
  step("setup", { op: "symlink", path: "/dev/fd", to: "/proc/self/fd" }),
  step("setup", { op: "console", rows: 24, columns: 80 }),
  step("setup", { op: "pivot-root", method: "move" }),
  step("setup", { op: "make-root-readonly" }),
  step("setup", { op: "set-hostname", name: "h" }),
  step("setup", { op: "set-domainname", name: "d" }),
  step("setup", { op: "set-sysctl", key: "net.x", value: 'quo"te\\\n', optional: true }),
  step("setup", { op: "bring-up-loopback" }),
  step("start", {
    op: "hook",
    kind: "startContainer",
    path: "/hook",
    args: ["hook", ""],
    env: [],
    timeoutMs: 1500,
    where: "container",
    directory: "/bundle",
    state: "{}",
  }),
  step("start", { op: "new-session" }),
  step("start", { op: "new-keyring", name: "_ses", required: true }),
  step("start", { op: "set-oom-score", score: -999 }),
  step("start", { op: "set-rlimit", resource: 7, name: "RLIMIT_NOFILE", soft: 1n, hard: (1n << 64n) - 1n }),
  step("start", { op: "set-personality", domain: 8 }),
  step("start", {
    op: "set-scheduler",
    policy: 6,
    flags: 1,
    nice: -20,
    priority: 0,
    runtimeNs: 1n,
    deadlineNs: 2n,
    periodNs: 3n,
  }),
  step("start", { op: "set-io-priority", class: 2, level: 7 }),
  step("start", { op: "set-memory-policy", mode: 0x8002, nodes: new Uint8Array([3, 0, 0, 0, 0, 0, 0, 0]) }),
  step("start", { op: "set-cpu-affinity", mask: new Uint8Array([0xff, 0x01]) }),
  step("start", { op: "set-security-label", file: "exec", label: "label" }),
  step("start", { op: "set-umask", mask: 0o22 }),
  step("start", { op: "change-directory", path: "/" }),
  step("start", { op: "make-directory", path: "/w", mode: 0o755, uid: 1, gid: 2 }),
  step("start", { op: "set-bounding", mask: 0xa80425fbn }),
  step("start", { op: "set-user", uid: 1, gid: 2, additionalGids: [3, 4] }),
  step("start", { op: "set-capabilities", effective: 1n, permitted: 2n, inheritable: 3n, ambient: 4n }),
  step("start", { op: "no-new-privileges" }),
  step("start", {
    op: "load-seccomp",
    program: new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]),
    flags: 2,
    listenerPath: "/agent.sock",
    listenerState: "{}",
  }),
  step("start", { op: "load-seccomp", program: new Uint8Array(8), flags: 0 }),
  step("start", { op: "exec", args: ["sh", "-c", "x"], env: ["A=ä"], preserveFds: 3 }),
];

/** A step as `gantry-helper dump-plan` prints it. */
function asPrinted(value: KernelStep, index: number): Record<string, unknown> {
  const { phase, reason: _, ...operation } = value;
  const defaults: Record<string, unknown> =
    value.op === "mount" ? { copyUp: false } : value.op === "set-sysctl" ? { optional: false } : {};
  return { index, phase, ...defaults, ...operation };
}

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, field) => {
      if (typeof field === "bigint") return Number(field);
      return field instanceof Uint8Array ? hex(field) : field;
    }),
  );
}

describe("encodePlan", () => {
  test("has the layout of docs/helper-protocol.md", () => {
    const bytes = encodePlan({
      steps: [
        step("host", { op: "make-cgroup", path: "/x" }),
        step("setup", { op: "mask-path", path: "/a" }),
        step("start", { op: "set-umask", mask: 0o22 }),
      ],
    });
    expect(hex(bytes)).toBe(
      [
        "47504c4e01000200", // GPLN, version 1, 2 steps
        "190002000100000007000000", // opcode 25, setup, index 1, 7 bytes
        "020000002f6100", // "/a"
        "3c0003000200000008000000", // opcode 60, start, index 2, 8 bytes
        "1200000000000000",
      ].join(""),
    );
  });

  test("numbers may be negative, large, and bigints fill 64 bits", () => {
    const bytes = Buffer.from(encodePlan({ steps: [step("start", { op: "set-oom-score", score: -1000 })] }));
    expect(bytes.readBigInt64LE(20)).toBe(-1000n);
    const bounding = Buffer.from(
      encodePlan({ steps: [step("start", { op: "set-bounding", mask: (1n << 64n) - 1n })] }),
    );
    expect(bounding.readBigUInt64LE(20)).toBe((1n << 64n) - 1n);
  });

  test("the buffer grows as far as it has to", () => {
    const env = Array.from({ length: 2000 }, (_, index) => `VARIABLE_${index}=${"x".repeat(100)}`);
    const bytes = encodePlan({ steps: [step("start", { op: "exec", args: ["a"], env, preserveFds: 0 })] });
    expect(bytes.length).toBeGreaterThan(200_000);
    expect(Buffer.from(bytes).includes(Buffer.from(`VARIABLE_1999=${"x".repeat(100)}\0`))).toBe(true);
  });

  test("a string with a NUL is refused", () => {
    const steps = [step("setup", { op: "mask-path", path: "/a\0b" })];
    expect(() => encodePlan({ steps })).toThrow('"/a\\u0000b" contains a NUL character');
  });

  test("every operation of the helper is in the example below", () => {
    const used = new Set<string>(everything.map(({ op }) => op));
    expect(Object.keys(opcodes).filter((op) => !used.has(op))).toEqual([]);
  });

  test.skipIf(!existsSync(helper))(
    `the helper reads the same from it${existsSync(helper) ? "" : " (skipped: it is not built)"}`,
    () => {
      const printed = Bun.spawnSync([helper, "dump-plan"], { stdin: encodePlan({ steps: everything }) });
      expect(printed.stderr.toString()).toBe("");
      const lines = printed.stdout.toString().trim().split("\n");
      const wanted = everything
        .map(asPrinted)
        .filter(({ phase }) => phase !== "host")
        .map(plain);
      expect(lines.map((line) => JSON.parse(line))).toEqual(wanted);
    },
  );
});
