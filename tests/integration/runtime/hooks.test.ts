import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing();
const kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
const hostKinds = kinds.filter((kind) => kind !== "startContainer");

describe.skipIf(reason !== undefined)(`hooks${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  /** Every hook appends its kind, its mount namespace and its state to a file; startContainer to one inside. */
  const logging = (log: string) => (spec: TestSpec) => {
    const write = (file: string, kind: string) => ({
      path: "/bin/sh",
      args: ["sh", "-c", `echo "${kind} $(readlink /proc/self/ns/mnt) $(cat)" >> ${file}`],
      env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
    });
    spec.annotations = { "org.example.who": 'me "pid":0' };
    spec.hooks = Object.fromEntries(
      kinds.map((kind) => [kind, [write(kind === "startContainer" ? "/hooks.log" : log, kind)]]),
    );
  };

  const entries = (file: string) =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => /^(\S+) (\S+) (.*)$/.exec(line))
      .map((match) => ({ kind: match?.[1], namespace: match?.[2], state: JSON.parse(match?.[3] ?? "{}") }));

  test("run in order, in their namespaces, with the state", async () => {
    const log = join(runtime.directory, "hooks.log");
    const bundle = runtime.bundle(["sleep", "1000"], logging(log));
    await runtime.must("create", "--bundle", bundle, "hooks");
    expect(entries(log).map(({ kind }) => kind)).toEqual(["prestart", "createRuntime", "createContainer"]);
    const { pid } = await runtime.state("hooks");
    await runtime.must("start", "hooks");
    await runtime.must("delete", "--force", "hooks");

    const own = `mnt:[${/\d+/.exec(await Bun.$`readlink /proc/self/ns/mnt`.text())?.[0]}]`;
    const all = entries(log);
    expect(all.map(({ kind }) => kind)).toEqual(hostKinds);
    for (const { kind, namespace } of all) expect(namespace === own).toBe(kind !== "createContainer");
    const state = {
      ociVersion: "1.3.0",
      id: "hooks",
      bundle,
      annotations: { "org.example.who": 'me "pid":0' },
    };
    const statuses = ["creating", "creating", "creating", "running", "stopped"];
    all.forEach((entry, index) => {
      expect(entry.state).toMatchObject({ ...state, status: statuses[index] });
      if (entry.kind !== "poststop") expect(entry.state.pid).toBe(pid);
    });
    const [inside] = entries(join(runtime.rootfs, "hooks.log"));
    expect(inside).toMatchObject({ kind: "startContainer", state: { ...state, status: "created", pid } });
  });

  test("those outside of the container have the bundle for working directory", async () => {
    const outside = ["prestart", "createRuntime", "poststart", "poststop"];
    const bundle = runtime.bundle(["true"], (spec) => {
      const write = (kind: string) => ({ path: "/bin/sh", args: ["sh", "-c", `: >ran-${kind}`] });
      spec.hooks = Object.fromEntries(outside.map((kind) => [kind, [write(kind)]]));
    });
    expect(await runtime.run(["run", "--bundle", bundle, "here"], { cwd: "/" })).toMatchObject({
      exitCode: 0,
    });
    for (const kind of outside) expect(existsSync(join(bundle, `ran-${kind}`))).toBe(true);
  });

  test("one that is not there is named with the reason, and nothing else", async () => {
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.hooks = { createRuntime: [{ path: "/no/hook" }] };
    });
    const { stderr } = await runtime.run(["run", "--bundle", bundle, "missing"]);
    expect(stderr).toContain(
      "/no/hook ended with exit status 127: it cannot be executed: no such file or directory (config.json hooks.createRuntime.0)",
    );
  });

  test("what a hook in the container makes is not writable for everybody", async () => {
    const made = join(runtime.directory, "mask");
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.hooks = { createContainer: [{ path: "/bin/sh", args: ["sh", "-c", `umask > ${made}`] }] };
    });
    await runtime.must("run", "--bundle", bundle, "mask");
    expect(readFileSync(made, "utf8")).toBe("0022\n");
  });

  test.each(["prestart", "createRuntime", "createContainer"])(
    "a failing %s hook fails create; poststop hooks run, nothing is left",
    async (kind) => {
      const stopped = join(runtime.directory, `stopped-${kind}`);
      const bundle = runtime.bundle(["true"], (spec) => {
        spec.hooks = {
          [kind]: [{ path: "/bin/sh", args: ["sh", "-c", "echo out of luck; exit 9"] }],
          poststop: [{ path: "/bin/touch", args: ["touch", stopped] }],
        };
      });
      const result = await runtime.run(["create", "--bundle", bundle, "bad"]);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain("exit status 9");
      expect(result.stderr).toContain("out of luck");
      expect(existsSync(stopped)).toBe(true);
      expect(runtime.leftovers()).toEqual([]);
    },
  );

  test("what cannot be removed after a failure stays as a container, for a later delete", async () => {
    const hierarchy = existsSync("/sys/fs/cgroup/pids") ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup";
    let cgroup = "";
    const bundle = runtime.bundle(["true"], (spec) => {
      cgroup = hierarchy + spec.linux.cgroupsPath;
      const mounted = `mount -t tmpfs busy ${cgroup} && exit 9`;
      spec.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", mounted] }] };
    });
    const result = await runtime.run(["create", "--bundle", bundle, "busy"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("exit status 9");
    expect(result.stderr).toContain("container busy stays");
    expect(result.stderr).toContain("delete --force busy");
    await Bun.$`umount ${cgroup}`;
    await runtime.must("delete", "--force", "busy");
    expect(runtime.leftovers()).toEqual([]);
  });

  test("a failing startContainer hook fails start and stops the container", async () => {
    const bundle = runtime.bundle(["touch", "/started"], (spec) => {
      spec.hooks = { startContainer: [{ path: "/bin/false" }] };
    });
    await runtime.must("create", "--bundle", bundle, "bad");
    const result = await runtime.run(["start", "bad"]);
    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("startContainer hook /bin/false"),
    });
    await waitFor("its end", async () => (await runtime.state("bad")).status === "stopped");
    expect(existsSync(join(runtime.rootfs, "started"))).toBe(false);
    await runtime.must("delete", "bad");
  });

  test("a failing poststart hook fails start and stops the container", async () => {
    const bundle = runtime.bundle(["sleep", "1000"], (spec) => {
      spec.hooks = { poststart: [{ path: "/bin/sh", args: ["sh", "-c", "echo no; exit 3"] }] };
    });
    await runtime.must("create", "--bundle", bundle, "bad");
    const result = await runtime.run(["start", "bad"]);
    expect(result.stderr).toContain("error running poststart hook #0 /bin/sh: exit status 3, output: no");
    await waitFor("its end", async () => (await runtime.state("bad")).status === "stopped");
    await runtime.must("delete", "bad");
    expect((await runtime.run(["run", "--bundle", bundle, "bad"])).exitCode).toBe(1);
    expect(runtime.leftovers()).toEqual([]);
  });

  test("poststart hooks run, and fail run, however soon the program has ended", async () => {
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.hooks = { poststart: [{ path: "/bin/false" }] };
    });
    for (let attempt = 0; attempt < 10; attempt++) {
      const result = await runtime.run(["run", "--bundle", bundle, "soon"]);
      expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("poststart hook #0") });
    }
    expect(runtime.leftovers()).toEqual([]);
  });

  test("a failing poststop hook is a warning, and the next one runs", async () => {
    const second = join(runtime.directory, "second");
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.hooks = { poststop: [{ path: "/bin/false" }, { path: "/bin/touch", args: ["touch", second] }] };
    });
    const result = await runtime.run(["run", "--bundle", bundle, "stop"]);
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain("level=warning");
    expect(existsSync(second)).toBe(true);
  });

  test.each(["createRuntime", "poststart"])("a %s hook that takes too long is killed", async (kind) => {
    const bundle = runtime.bundle(["sleep", "1000"], (spec) => {
      spec.hooks = { [kind]: [{ path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1 }] };
    });
    const result = await runtime.run(["run", "--detach", "--bundle", bundle, "slow"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/timeout of 1 s reached|did not end in time/);
    expect(runtime.leftovers()).toEqual([]);
  });
});
