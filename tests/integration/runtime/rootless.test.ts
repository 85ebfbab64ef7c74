import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { command } from "../../fixtures/command.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { SeccompAgent } from "../../fixtures/seccomp-agent.ts";

const id = 12345;
/** EDOM: no kernel gives it for mkdir. */
const strangeErrno = 33;
const strangeText = "Numerical argument out of domain";
const reason = runtimeMissing() ?? (Bun.which("setpriv") === null ? "needs setpriv" : undefined);

describe.skipIf(reason !== undefined)(`an unprivileged caller${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  let bundle: string;
  let binary: string;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
    chmodSync(runtime.directory, 0o755);
    binary = join(runtime.directory, "gantry-runtime");
    copyFileSync(gantryPath, binary);
    chmodSync(binary, 0o755);
    bundle = join(runtime.directory, "own");
    mkdirSync(join(bundle, "state"), { recursive: true });
    for (const path of [bundle, join(bundle, "state"), runtime.rootfs]) chownSync(path, id, id);
    await asUser("spec", "--rootless");
    const spec = JSON.parse(await Bun.file(join(bundle, "config.json")).text());
    spec.root.path = runtime.rootfs;
    spec.process.terminal = false;
    spec.process.rlimits = [];
    spec.process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map; hostname"];
    writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const user = ["setpriv", "--reuid", `${id}`, "--regid", `${id}`, "--clear-groups"];
  const asUser = (...words: string[]) => inBundle([...user, binary, ...words]);
  const inBundle = (argv: string[]) =>
    command(argv, {
      cwd: bundle,
      env: { XDG_RUNTIME_DIR: join(bundle, "state"), PATH: process.env.PATH ?? "" },
    });

  test("runs a container whose root is itself", async () => {
    const result = await asUser("run", "rootless");
    expect(result.exitCode).toBe(0);
    expect(result.stdout.split("\n").map((line) => line.trim())).toEqual([
      "0",
      `0      ${id}          1`,
      "gantry",
      "",
    ]);
    expect(result.stderr).toContain("no cgroup is delegated to this user");
    expect((await asUser("list", "-q")).stdout).toBe("");
  });

  test("limits, which it cannot have, are refused", async () => {
    const spec = JSON.parse(await Bun.file(join(bundle, "config.json")).text());
    spec.linux.resources = { pids: { limit: 5 } };
    const limited = join(bundle, "limited");
    mkdirSync(limited);
    writeFileSync(join(limited, "config.json"), JSON.stringify(spec));
    const result = await asUser("run", "--bundle", limited, "limited");
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("nothing can be limited") });
  });

  /** The bundle with a filter that asks an agent about mkdir; `change` edits the rest. */
  function asking(name: string, agent: string, args: string[], change: (spec: TestSpec) => void = () => {}) {
    const spec: TestSpec = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8"));
    spec.process.args = args;
    spec.linux.seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: agent,
      syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }],
    };
    change(spec);
    const directory = join(bundle, name);
    mkdirSync(directory);
    writeFileSync(join(directory, "config.json"), JSON.stringify(spec));
    return directory;
  }

  test("the listener of its filter comes to its agent", async () => {
    using agent = new SeccompAgent(join(runtime.directory, "rootless.sock"));
    chmodSync(agent.path, 0o666);
    const running = asUser("run", "--bundle", asking("asks", agent.path, ["mkdir", "/made"]), "asks");
    using listener = agent.receive();
    listener.refuseNext(strangeErrno);
    expect(await running).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(strangeText) });
  });

  test("with namespaces that others are in, a listener is refused, and nothing is left", async () => {
    using agent = new SeccompAgent(join(runtime.directory, "joined.sock"));
    chmodSync(agent.path, 0o666);
    const first = asking("first", agent.path, ["sleep", "1000"], (spec) => {
      spec.linux.seccomp = undefined;
    });
    // A pipe would not end with the command: the container keeps what it inherits.
    const quietly = ["sh", "-c", 'exec "$@" > /dev/null 2>&1', "sh", ...user, binary];
    const running = await inBundle([...quietly, "run", "--detach", "--bundle", first, "first"]);
    expect(running.exitCode).toBe(0);
    const { pid } = JSON.parse((await asUser("state", "first")).stdout);
    const second = asking("second", agent.path, ["mkdir", "/made"], (spec) => {
      for (const namespace of spec.linux.namespaces)
        if (["user", "ipc"].includes(namespace.type)) namespace.path = `/proc/${pid}/ns/${namespace.type}`;
      spec.linux.uidMappings = undefined;
      spec.linux.gidMappings = undefined;
      spec.mounts = (spec.mounts as { type?: string }[]).filter(({ type }) => type !== "mqueue");
    });
    const result = await asUser("run", "--bundle", second, "second");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      "load the seccomp filter: operation not permitted (config.json linux.seccomp)",
    );
    expect(result.stderr).toContain(
      "hint: an unprivileged caller gets a listener only of a container that joins no",
    );
    expect(agent.isAsked()).toBe(false);
    expect((await asUser("list", "-q")).stdout).toBe("first\n");
    expect((await asUser("delete", "--force", "first")).exitCode).toBe(0);
  });
});
