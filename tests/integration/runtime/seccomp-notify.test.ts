import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, existsSync } from "node:fs";
import { join } from "node:path";
import { listenUnix } from "../../../src/kernel/unix-sockets.ts";
import { runtimeMissing, TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { SeccompAgent } from "../../fixtures/seccomp-agent.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing();
/** EDOM: no kernel gives it for mkdir. */
const strangeErrno = 33;
const strangeText = "Numerical argument out of domain";
const mkdirNumbers = process.arch === "arm64" ? [34] : [83, 258];

describe.skipIf(reason !== undefined)(`seccomp listeners${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const asking = (agent: string, noNewPrivileges: boolean) => (spec: TestSpec) => {
    spec.process.noNewPrivileges = noNewPrivileges;
    spec.annotations = { "org.example.who": "me" };
    spec.linux.seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: agent,
      listenerMetadata: 'rules="7"',
      syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }],
    };
  };

  test.each([true, false])(
    "run hands one to the agent, which decides (noNewPrivileges %p)",
    async (noNew) => {
      using agent = new SeccompAgent(join(runtime.directory, `run-${noNew}.sock`));
      const bundle = runtime.bundle(["mkdir", "/made"], asking(agent.path, noNew));
      const running = runtime.run(["run", "--bundle", bundle, "run"]);
      using listener = agent.receive();
      expect(listener.kinds()).toEqual(["anon_inode:seccomp notify"]);
      const pid = Number(listener.state.pid);
      expect(listener.state).toEqual({
        ociVersion: "1.3.0",
        fds: ["seccompFd"],
        pid,
        metadata: 'rules="7"',
        state: {
          ociVersion: "1.3.0",
          id: "run",
          status: "created",
          pid,
          bundle,
          annotations: { "org.example.who": "me" },
        },
      });
      const asked = listener.refuseNext(strangeErrno);
      expect(asked.pid).toBe(pid);
      expect(mkdirNumbers).toContain(asked.number);
      const result = await running;
      expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(strangeText) });
      expect(existsSync(join(runtime.rootfs, "made"))).toBe(false);
    },
  );

  test("after create, start hands it over; nobody stays behind", async () => {
    using agent = new SeccompAgent(join(runtime.directory, "create.sock"));
    const bundle = runtime.bundle(["sh", "-c", "mkdir /made; sleep 1000"], asking(agent.path, true));
    await runtime.must("create", "--bundle", bundle, "life");
    expect(agent.isAsked()).toBe(false);
    const { pid } = await runtime.state("life");
    await runtime.must("start", "life");
    using listener = agent.receive();
    expect(listener.state).toMatchObject({ pid, state: { id: "life", pid } });
    listener.refuseNext(strangeErrno);

    const inside = runtime.run(["exec", "life", "mkdir", "/made"]);
    using second = agent.receive();
    const asked = second.refuseNext(strangeErrno);
    expect(second.state).toMatchObject({ pid: asked.pid, state: { id: "life", status: "running", pid } });
    expect(asked.pid).not.toBe(pid);
    expect(await inside).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(strangeText) });
    const helpers = () => runtime.leftovers().filter((line) => line.startsWith("process"));
    await waitFor("the end of its monitor", () => helpers().length === 0);
    await runtime.must("delete", "--force", "life");
    expect(runtime.leftovers()).toEqual([]);
  });

  test("with a terminal, nobody holds what create wrote to until the start", async () => {
    const console = join(runtime.directory, "console.sock");
    const listener = listenUnix(console, { mode: 0o600 });
    const bundle = runtime.bundle(["true"], (spec) => {
      asking(join(runtime.directory, "none.sock"), true)(spec);
      spec.process.terminal = true;
    });
    const create = ["create", "--bundle", bundle, "--console-socket", console, "quiet"];
    const child = Bun.spawn([...runtime.argv, "--root", runtime.root, ...create], {
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await Promise.all([child.stdout.text(), child.stderr.text()])).toEqual(["", ""]);
    expect(await child.exited).toBe(0);
    await runtime.must("delete", "--force", "quiet");
    closeSync(listener);
  });

  test("a container that is deleted before its start leaves no monitor", async () => {
    const bundle = runtime.bundle(["true"], asking(join(runtime.directory, "never.sock"), true));
    await runtime.must("create", "--bundle", bundle, "early");
    await runtime.must("delete", "--force", "early");
    await waitFor("the end of its monitor", () => runtime.leftovers().length === 0);
  });

  test("without its agent the start fails and says so", async () => {
    const bundle = runtime.bundle(["true"], asking(join(runtime.directory, "nobody.sock"), true));
    const result = await runtime.run(["run", "--bundle", bundle, "alone"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("load the seccomp filter: no such file or directory");
    expect(result.stderr).toContain(`hint: no agent listens on ${join(runtime.directory, "nobody.sock")}`);
    await runtime.must("create", "--bundle", bundle, "alone");
    expect((await runtime.run(["start", "alone"])).stderr).toContain("load the seccomp filter");
    await runtime.must("delete", "--force", "alone");
  });

  test.each([
    [{ defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/agent" }, "linux.seccomp.defaultAction"],
    [
      { syscalls: [{ names: ["write"], action: "SCMP_ACT_NOTIFY" }], listenerPath: "/agent" },
      "cannot be used for write",
    ],
    [
      { syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] },
      "linux.seccomp.listenerPath: is missing",
    ],
    [{ listenerPath: "agent" }, "is not absolute"],
    [{ listenerMetadata: "x" }, "needs a listenerPath"],
  ])("%j is refused", async (seccomp, message) => {
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", ...seccomp };
    });
    const result = await runtime.run(["run", "--bundle", bundle, "refused"]);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(message) });
  });

  test("features lists the action", async () => {
    const features = JSON.parse(await runtime.must("features"));
    expect(features.linux.seccomp.actions).toContain("SCMP_ACT_NOTIFY");
  });
});
