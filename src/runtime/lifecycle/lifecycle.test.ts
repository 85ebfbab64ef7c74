import { describe, expect, test } from "bun:test";
import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";
import { checkTerminal, withNotifyMount, withServiceVariables } from "./caller-settings.ts";
import { checkContainerId } from "./container-id.ts";
import type { ContainerState } from "./container-state.ts";
import { stringifyExactly } from "./exact-json.ts";
import { exampleSpec } from "./example-spec.ts";
import { execCgroups } from "./exec-cgroups.ts";
import { hookState, ociState } from "./oci-state.ts";
import { runtimeFeatures } from "./runtime-features.ts";
import { signalNumber } from "./signals.ts";

const facts: CgroupFacts = {
  version: 1,
  hierarchies: [
    { controllers: ["cpu", "cpuacct"], mountPoint: "/cg/cpu" },
    { controllers: ["pids"], mountPoint: "/cg/pids" },
  ],
  unified: undefined,
  swapAccounting: true,
  weightFile: undefined,
  cpusetCpus: "0",
  cpusetMems: "0",
};

const state: ContainerState = {
  version: 1,
  ociVersion: "1.3.0",
  id: "box",
  bundle: "/b",
  rootfs: "/b/rootfs",
  created: "2026-01-02T15:04:05.000Z",
  ownerUid: 0,
  annotations: {},
  init: { pid: 7, startTime: 1 },
  cgroup: { facts, path: "/box", directories: ["/cg/cpu/box", "/cg/pids/box"] },
  ownPidNamespace: true,
  hooks: { poststart: [], poststop: [] },
  options: { noPivot: false, noNewKeyring: false, preserveFds: 0 },
};

test.each(["a", "A-b_c+d.e", "0", "..."])("%p is an id", (id) => {
  expect(() => checkContainerId(id)).not.toThrow();
});
test.each(["", ".", "..", "a/b", "ü", "a b", "a\n"])("%p is no id", (id) => {
  expect(() => checkContainerId(id)).toThrow(/container id|container ID/);
});

test.each([
  ["KILL", 9],
  ["sigterm", 15],
  ["SIGRTMIN+3", 37],
  ["RTMAX-1", 63],
  ["0", 0],
  ["64", 64],
])("signal %p is %p", (text, number) => {
  expect(signalNumber(text)).toBe(number);
});
test.each(["65", "FOO", "-9", "", "RTMIN+31", "9x"])("signal %p is unsupported", (text) => {
  expect(() => signalNumber(text)).toThrow("unsupported signal");
});

describe("the state", () => {
  test("of a stopped container has no process", () => {
    expect(ociState(state, "stopped", "root")).toMatchObject({ pid: 0, status: "stopped", owner: "root" });
    expect(ociState(state, "running", "root")).toMatchObject({ pid: 7 });
  });

  test("that a poststop hook reads has no pid", () => {
    expect(JSON.parse(hookState(state, "stopped").json)).toEqual({
      ociVersion: "1.3.0",
      id: "box",
      status: "stopped",
      bundle: "/b",
    });
    expect(JSON.parse(hookState({ ...state, annotations: { a: "b" } }, "running").json)).toMatchObject({
      pid: 7,
      annotations: { a: "b" },
    });
  });
});

describe("cgroups of an exec'd process", () => {
  const chosen = (...wishes: string[]) => execCgroups(state.cgroup, wishes);

  test("are the container's own, or below them", () => {
    expect(chosen()).toEqual(["/cg/cpu/box", "/cg/pids/box"]);
    expect(chosen("sub")).toEqual(["/cg/cpu/box/sub", "/cg/pids/box/sub"]);
    expect(chosen("/")).toEqual(["/cg/cpu/box", "/cg/pids/box"]);
    expect(chosen("cpuacct,cpu:/a/b/")).toEqual(["/cg/cpu/box/a/b", "/cg/pids/box"]);
  });

  test.each(["..", "a/../../b", "cpu:../x", "memory:x"])("%p is refused", (wish) => {
    expect(() => chosen(wish)).toThrow(`--cgroup ${wish}`);
  });
});

describe("a terminal", () => {
  test.each([
    [{ terminal: true }, true, false, "cannot allocate tty"],
    [{ terminal: false }, true, true, "cannot use console socket"],
    [{ terminal: true }, false, true, "cannot use console socket"],
  ])("%p, detached %p, socket %p: %s", (process, detached, socket, message) => {
    expect(() => checkTerminal(process, detached, socket)).toThrow(message);
  });

  test("fits a detached process with a socket, and any in the foreground", () => {
    expect(() => checkTerminal({ terminal: true }, true, true)).not.toThrow();
    expect(() => checkTerminal({ terminal: true }, false, false)).not.toThrow();
    expect(() => checkTerminal({}, true, false)).not.toThrow();
  });
});

test("what a service manager passes on reaches the process", () => {
  const process = withServiceVariables({ cwd: "/", env: ["A=B"] }, { listenFds: 2, notify: true });
  expect(process.env).toEqual([
    "A=B",
    "LISTEN_FDS=2",
    "LISTEN_PID=1",
    "NOTIFY_SOCKET=/run/notify/notify.sock",
  ]);
  const spec = withNotifyMount({ ociVersion: "1.0.0" }, "/run/r/box");
  expect(spec.mounts).toMatchObject([{ destination: "/run/notify", source: "/run/r/box/notify" }]);
});

test("integers beyond 2^53 survive being written", () => {
  expect(stringifyExactly({ hard: (1n << 64n) - 1n, soft: 1 })).toBe(
    '{"hard":18446744073709551615,"soft":1}',
  );
});

test("the example for an unprivileged caller maps its own ids, and has no network of its own", () => {
  const { linux } = exampleSpec({ uid: 1000, gid: 100 });
  expect(linux?.uidMappings).toEqual([{ containerID: 0, hostID: 1000, size: 1 }]);
  expect(linux?.gidMappings).toEqual([{ containerID: 0, hostID: 100, size: 1 }]);
  const types = linux?.namespaces?.map(({ type }) => type);
  expect(types).toContain("user");
  expect(types).not.toContain("network");
  expect(linux?.resources).toBeUndefined();
});

test("features name what is there", () => {
  const { linux, mountOptions, hooks } = runtimeFeatures("1");
  expect(hooks).toContain("poststop");
  expect(mountOptions).toContain("rro");
  expect(linux.seccomp.archs).toContain("SCMP_ARCH_X86_64");
  expect(linux.capabilities).toContain("CAP_BPF");
});
