import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { loadHostile } from "./hostile-image.ts";

const machine = useMachine("rule-1", ["busybox"]);
/** The directory that the shell's own glob had open is closed again when `-e` asks. */
const listFds = ["sh", "-c", "cd /proc/$$/fd; for fd in *; do if [ -e $fd ]; then echo $fd; fi; done"];
const stdio = "0\n1\n2\n";

describe.each(clients)("CVE-2024-21626, with %s", (client) => {
  test("a started process has its standard streams open, and nothing else", async () => {
    expect((await machine.engine[client](["run", "--rm", "busybox", ...listFds])).stdout).toBe(stdio);
  });

  test("an exec'd process likewise", async () => {
    const name = `fds-${client}`;
    await machine.engine.must(client, "run", "-d", "--name", name, "busybox", "sleep", "1000");
    expect((await machine.engine[client](["exec", name, ...listFds])).stdout).toBe(stdio);
  });

  test.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])("--workdir /proc/self/fd/%d is refused", async (fd) => {
    const workdir = `/proc/self/fd/${fd}`;
    const { exitCode, stdout } = await machine.engine[client]([
      ...["run", "--rm", "--workdir", workdir, "busybox", "cat", "../../../../../etc/os-release"],
    ]);
    expect(exitCode).not.toBe(0);
    expect(stdout).toBe("");
  });

  test("exec --workdir /proc/self/fd/N is refused", async () => {
    for (const fd of [3, 4, 5, 6, 7, 8, 9]) {
      const workdir = `/proc/self/fd/${fd}`;
      const exec = await machine.engine[client](["exec", "-w", workdir, `fds-${client}`, "pwd"]);
      expect(exec.exitCode).not.toBe(0);
      expect(exec.stdout).not.toMatch(/^\//m);
    }
  });
});

describe("CVE-2024-21626, from an image", () => {
  test.each(["/proc/self/fd/7", "/link", "/proc/self/cwd/../../../.."])("WORKDIR %s", async (workdir) => {
    await loadHostile(
      machine.engine,
      "workdir",
      [{ name: "link", type: "symlink", linkName: "/proc/self/fd/7" }],
      {
        config: { WorkingDir: workdir },
      },
    );
    const { stdout } = await machine.engine.gantry([
      "run",
      "--rm",
      "workdir",
      "sh",
      "-c",
      "pwd; ls -d ../../../../work",
    ]);
    expect(["", "/\n"]).toContain(stdout); // refused, or the container's own root
  });
});

describe("CVE-2024-21626, in `gantry runtime`", () => {
  let runtime: TestRuntime;
  let leaky: TestRuntime;
  beforeAll(async () => {
    // A caller that leaks a descriptor of the host's root, as runc leaked one of /sys/fs/cgroup.
    const leak = ["sh", "-c", 'exec 7</; exec "$@"', "leak", gantryPath, "runtime"];
    runtime = await TestRuntime.open();
    leaky = await TestRuntime.open(leak);
  });
  afterAll(async () => {
    await runtime[Symbol.asyncDispose]();
    await leaky[Symbol.asyncDispose]();
  });

  // The runtime has opened files of its own by then, which have those numbers: its lock of the container's directory, say.
  test.each([
    ["run", ["--preserve-fds", "3"], {}],
    ["create", ["--preserve-fds", "1"], {}],
    ["run", [], { LISTEN_FDS: "2" }],
    ["exec", ["--preserve-fds", "2"], {}],
    ["exec", [], { LISTEN_FDS: "1" }],
  ] as const)(
    "%s %j with %j: a number that the caller left free is refused",
    async (name, flags, variables) => {
      const bundle = runtime.bundle(["sleep", "1000"]);
      await runtime.must("run", "--detach", "--bundle", bundle, "box");
      const target = name === "exec" ? ["box", ...listFds] : ["--bundle", runtime.bundle(listFds), "leaks"];
      const env = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
      const argv = ["env", ...env, gantryPath, "runtime", "--root", runtime.root, name, ...flags, ...target];
      // A shell of our own, as what started this test may have left descriptors open.
      const closed = ["sh", "-c", 'exec 3<&- 4<&- 5<&-; exec "$@"', "closed", ...argv];
      const child = Bun.spawn(closed, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
      expect(await child.stderr.text()).toContain("--preserve-fds: descriptor 3 is not open");
      expect(await child.stdout.text()).toBe("");
      expect(await child.exited).not.toBe(0);
      await runtime.must("delete", "--force", "box");
      expect(runtime.leftovers()).toEqual([]);
    },
  );

  // Such a process of the container reads /proc/1/fd, and each directory of the host there is a way out of the root.
  test("a created container that waits has no directory of the host open, whoever may trace it", async () => {
    const mayTrace = (spec: TestSpec) => {
      const capabilities = spec.process.capabilities as Record<string, string[]>;
      for (const set of ["bounding", "effective", "permitted"]) capabilities[set]?.push("CAP_SYS_PTRACE");
    };
    await runtime.must("create", "--bundle", runtime.bundle(["true"], mayTrace), "waits");
    const look =
      "for fd in /proc/1/fd/*; do readlink $fd; cat $fd/config.json $fd/../../config.json; done 2>/dev/null";
    const { stdout } = await runtime.run(["exec", "waits", "sh", "-c", look]);
    expect(stdout).toContain("/dev/null\n"); // it may trace
    expect(stdout).not.toContain("ociVersion");
    expect(stdout.replace(`${runtime.root}/waits/exec.fifo\n`, "")).not.toContain(runtime.root);
    expect(stdout).not.toContain(runtime.cgroupParent);
    await runtime.must("start", "waits");
    await runtime.must("delete", "--force", "waits");
  });

  test("LISTEN_FDS that is meant for another process counts for nothing", async () => {
    const command = `exec env LISTEN_FDS=2 LISTEN_PID=1 ${gantryPath} runtime --root ${runtime.root} run --bundle ${runtime.bundle(listFds)} other`;
    const child = Bun.spawn(["sh", "-c", command], { stdin: "ignore", stdout: "pipe" });
    expect(await child.stdout.text()).toBe(stdio);
  });

  test("the leak is one: the same caller hands descriptor 7 to any other program", async () => {
    const child = Bun.spawn(["sh", "-c", "exec 7</; exec readlink /proc/self/fd/7"], { stdout: "pipe" });
    expect(await child.stdout.text()).toBe("/\n");
  });

  test("a leaked descriptor does not reach the container", async () => {
    const bundle = leaky.bundle(listFds);
    expect((await leaky.run(["run", "--bundle", bundle, "leaked"])).stdout).toBe(stdio);
  });

  test("a leaked descriptor is no working directory", async () => {
    const bundle = leaky.bundle(["ls", "."], (spec) => {
      spec.process.cwd = "/proc/self/fd/7";
    });
    const run = await leaky.run(["run", "--bundle", bundle, "cwd"]);
    expect(run.exitCode).not.toBe(0);
    expect(run.stdout).toBe("");
  });
});
