import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cgroupMounts, runtimeMissing, TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { command, mustRun } from "../../fixtures/command.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { probe, report } from "./compare.ts";

const missing = runtimeMissing();

describe.skipIf(missing !== undefined)("the script of a bundle makes what gantry makes", () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
    chmodSync(runtime.directory, 0o755); // the root of a user namespace is nobody on the host
    mkdirSync(join(runtime.directory, "data"));
    writeFileSync(join(runtime.directory, "data/file"), "from the host\n");
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  test("--diff of two bundles needs no engine", async () => {
    const own = (spec: TestSpec) => {
      spec.linux.cgroupsPath = "";
    };
    const a = runtime.bundle(["true"], own);
    const b = runtime.bundle(["true"], own);
    const c = runtime.bundle(["true"], (spec) => {
      own(spec);
      spec.hostname = "another";
    });
    const diff = (...words: string[]) => mustRun([gantryPath, "explain", "--diff", ...words]);
    expect(await diff(a, b)).toBe("");
    expect((await diff(a, c)).split("\n").slice(2)).toEqual([
      "",
      "Identity",
      "  - set the host name gantry  # config.json hostname",
      "  + set the host name another  # config.json hostname",
      "",
    ]);
    expect(JSON.parse(await diff("--json", a, c)).changes).toHaveLength(2);
  });

  test("a path is a bundle, with and without --bundle", async () => {
    const bundle = runtime.bundle(["true"]);
    const text = await mustRun([gantryPath, "explain", bundle]);
    expect(text).toContain("exec true");
    expect(await mustRun([gantryPath, "explain", "--bundle", "."], { cwd: bundle })).toBe(text);
    expect(await mustRun([gantryPath, "explain", "."], { cwd: bundle })).toBe(text);
  });

  test.each([
    [["--systemd-cgroup", "--as", "shell", "."], "--systemd-cgroup is no shell script"],
    [["--systemd-cgroup", "busybox"], "--systemd-cgroup is for bundles"],
    [["."], "give --systemd-cgroup"],
    ...(existsSync("/run/systemd/system")
      ? []
      : ([
          [["--systemd-cgroup", "."], "systemd is not running on this host"],
          [["--systemd-cgroup", "--diff", ".", "."], "systemd is not running on this host"],
        ] as const)),
  ] as const)("of a bundle for systemd, %j says what it takes", async (words, message) => {
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.linux.cgroupsPath = "system.slice:box:x";
    });
    const { exitCode, stderr } = await command([gantryPath, "explain", ...words], { cwd: bundle });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(message);
  });

  const changes: Record<string, (spec: TestSpec) => void> = {
    "as it is": () => {},
    "with limits": (spec) => {
      spec.linux.resources = {
        memory: { limit: 64 << 20 },
        pids: { limit: 50 },
        cpu: { quota: 50_000, period: 100_000 },
      };
      spec.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }];
    },
    "as a user without capabilities, with a umask": (spec) => {
      spec.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 7] };
      spec.process.user = Object.assign(spec.process.user, { umask: 0o27 });
      spec.process.cwd = "/tmp/below";
    },
    "with inheritable and ambient capabilities": (spec) => {
      const all = ["CAP_NET_BIND_SERVICE", "CAP_KILL", "CAP_SYS_PTRACE"];
      spec.process.user = { uid: 1000, gid: 1000 };
      spec.process.noNewPrivileges = false;
      spec.process.capabilities = {
        bounding: all,
        effective: all,
        permitted: all,
        inheritable: all.slice(0, 2),
        ambient: all.slice(0, 1),
      };
    },
    "read-only, with binds and a tmpfs": (spec) => {
      spec.root.readonly = true;
      const mounts = spec.mounts as object[];
      const source = join(runtime.directory, "data");
      mounts.push(
        { destination: "/data", source, type: "bind", options: ["rbind", "ro", "nosuid"] },
        { destination: "/scratch", source: "tmpfs", type: "tmpfs", options: ["noexec", "size=1m"] },
      );
    },
    "in a user namespace": (spec) => {
      const map = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
      spec.linux.namespaces.push({ type: "user" });
      Object.assign(spec.linux, { uidMappings: map, gidMappings: map });
    },
    "with a time namespace, kernel parameters, devices and priorities": (spec) => {
      spec.linux.namespaces.push({ type: "time" });
      spec.linux.sysctl = { "net.ipv4.ip_unprivileged_port_start": "80", "kernel.msgmax": "9000" };
      spec.linux.devices = [{ path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0o600, uid: 5 }];
      spec.process.oomScoreAdj = 200;
      spec.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 };
      spec.linux.personality = { domain: "LINUX32" };
    },
    "with hooks of all kinds": (spec) => {
      const log = join(runtime.directory, "data/hooks");
      const hook = (kind: string) => [
        {
          path: "/bin/sh",
          args: ["sh", "-c", `echo ${kind} $A $(grep -o '"status": *"[a-z]*"') >> ${log}`],
          env: [`A=${kind[0]}`],
        },
      ];
      const inside = [
        {
          path: "/bin/sh",
          args: ["sh", "-c", "echo start $A $(cat | tr -d 0-9) >> /started"],
          env: ["A=x y"],
        },
      ];
      spec.hooks = {
        prestart: hook("prestart"),
        createRuntime: hook("createRuntime"),
        createContainer: hook("createContainer"),
        startContainer: inside,
      };
      spec.process.args = ["sh", "-c", `${probe}\ncat /started; rm /started; cat /log/hooks; : > /log/hooks`];
      const mounts = spec.mounts as object[];
      mounts.push({
        destination: "/log",
        source: join(runtime.directory, "data"),
        type: "bind",
        options: ["bind"],
      });
    },
    "with variables and arguments that a shell has to quote": (spec) => {
      spec.process.env.push('QUOTED=it\'s "$HOME" `id`', "LINES=a\n# b", "PWD=/else");
      spec.hostname = "un-usual";
    },
  };

  test.each(Object.entries(changes))("%s", async (_name, change) => {
    const bundle = runtime.bundle(["sh", "-c", probe], change);
    const script = join(bundle, "script.sh");
    await Bun.write(script, await mustRun([gantryPath, "explain", "--as", "shell", "--bundle", bundle]));
    const TMPDIR = join(bundle, "tmp");
    mkdirSync(TMPDIR);
    const byHand = await command(["sh", script], { env: { TMPDIR } });
    expect(byHand).toMatchObject({ stderr: "", exitCode: 0 });
    expect(readdirSync(TMPDIR)).toEqual([]);
    expect(runtime.cgroupsOf(bundle)).toEqual([]);
    const ours = await runtime.run(["run", "--bundle", bundle, basename(bundle)]);
    expect(ours).toMatchObject({ stderr: "", exitCode: 0 });
    expect(Object.keys(report(ours.stdout))).toHaveLength(13);
    expect(report(byHand.stdout)).toEqual(report(ours.stdout));
  });

  test("passes the exit code on, and says what is wrong before it makes anything", async () => {
    const bundle = runtime.bundle(["sh", "-c", "exit 42"]);
    const script = join(bundle, "script.sh");
    await Bun.write(script, await mustRun([gantryPath, "explain", "--as", "shell", "--bundle", bundle]));
    expect((await command(["sh", script])).exitCode).toBe(42);
    await runtime.must("run", "--detach", "--bundle", sleeping(runtime, bundle), "taken");
    const { exitCode, stderr } = await command(["sh", script]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("stop the container first");
  });

  /** A bundle that runs in the cgroup of the other. */
  const sleeping = (it: TestRuntime, other: string) =>
    it.bundle(["sleep", "600"], (spec) => {
      spec.linux.cgroupsPath = `${it.cgroupParent}/${other.split("/").at(-1)}`;
    });
});

describe.skipIf(missing !== undefined)("gantry explain, with an engine", () => {
  const machine = useMachine("explain", ["busybox"]);
  const gantry = (...args: string[]) => machine.engine.must("gantry", ...args);

  test("the script of a container makes what the engine makes", async () => {
    const options = ["--memory", "64m", "--pids-limit", "60", "--user", "1000:5", "--hostname", "by-hand"];
    const more = ["--workdir", "/srv", "--cap-drop", "NET_RAW", "--ulimit", "nofile=99:100", "-e", "A=b c"];
    await gantry(
      "create",
      "--name",
      "both",
      "--network",
      "none",
      ...options,
      ...more,
      "busybox",
      "sh",
      "-c",
      probe,
    );
    // The engine writes hosts, hostname and resolv.conf when it starts a container: before, there are none to bind.
    const { exitCode, stdout } = await machine.engine.gantry(["start", "--attach", "both"]);
    expect(exitCode).toBe(0);
    const script = join(machine.engine.directory, "script.sh");
    await Bun.write(script, await gantry("explain", "--as", "shell", "both"));
    const byHand = await command(["sh", script]);
    expect(byHand).toMatchObject({ exitCode: 0, stderr: "" });
    expect(report(byHand.stdout)).toEqual(report(stdout));
  });

  test("an image: what `run` would make of it", async () => {
    const text = await gantry("explain", "busybox");
    expect(text).toContain("# command of image busybox");
    expect(JSON.parse(await gantry("explain", "--json", "busybox")).steps.length).toBeGreaterThan(50);
    const script = join(machine.engine.directory, "image.sh");
    await Bun.write(script, await gantry("explain", "--as", "shell", "busybox"));
    const byHand = await command(["sh", script], {
      input: "id -u; cat /proc/1/comm; ls /lost 2>&1; exit 7\n",
    });
    expect(byHand.exitCode).toBe(7);
    expect(byHand.stdout).toBe("0\nsh\nls: /lost: No such file or directory\n");
    expect(await gantry("ps", "--all", "--quiet", "--no-trunc", "--filter", "name=nothing")).toBe("");
  });

  test("--diff: the steps in which two differ, and nothing else", async () => {
    await gantry("create", "--name", "plain", "busybox");
    await gantry("create", "--name", "twin", "busybox");
    await gantry("create", "--name", "other", "--memory", "32m", "--read-only", "-e", "A=b", "busybox");
    expect(await gantry("explain", "--diff", "plain", "twin")).toBe("");
    expect(await gantry("explain", "--diff", "plain", "busybox")).toBe("");
    const lines = (await gantry("explain", "--diff", "plain", "other")).split("\n");
    expect(lines.slice(0, 2)).toEqual(["- plain", "+ other"]);
    const changes = lines.slice(2).filter((line) => /^ {2}[-+] /.test(line));
    expect(
      changes.every((line) => line.startsWith("  + ") || line.includes("resolv") || line.includes("host")),
    ).toBe(true);
    expect(changes.join("\n")).toContain("make / read-only  # --read-only");
    expect(changes.join("\n")).toContain("# --memory 32m");
    expect(changes.join("\n")).toContain("+ variable A=b");
    const json = JSON.parse(await gantry("explain", "--json", "--diff", "plain", "other"));
    expect(json).toMatchObject({ first: "plain", second: "other" });
    expect(json.changes).toContainEqual({
      only: "second",
      topic: "Root",
      step: "make / read-only",
      reason: "--read-only",
    });
  });

  test("says what it takes", async () => {
    expect(await machine.engine.gantry(["explain", "no-such"])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("No such container or image: no-such"),
    });
    expect((await machine.engine.gantry(["explain", "--as", "poem", "x"])).stderr).toContain(
      'unknown form "poem"',
    );
    expect((await machine.engine.gantry(["explain", "--diff", "x"])).stderr).toContain("with --diff two");
    expect((await machine.engine.gantry(["explain", "--diff", "./x", "y"])).stderr).toContain("two bundles");
    expect((await command([gantryPath, "explain", "--bundle", "/nowhere"])).stderr).toContain(
      "config.json not found",
    );
  });
});

test("the machine has cgroups, or these tests would compare nothing of them", () => {
  expect(cgroupMounts().length).toBeGreaterThan(0);
});
