import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing();

describe.skipIf(reason !== undefined)(`exec${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
    await runtime.must("run", "--detach", "--bundle", runtime.bundle(["sleep", "10000"]), "box");
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const exec = (...args: string[]) => runtime.run(["exec", ...args]);

  test("runs in the container's namespaces and cgroups, and gives its exit code", async () => {
    const { pid } = await runtime.state("box");
    const result = await exec("box", "sh", "-c", "cat /proc/1/cmdline; cat /proc/self/cgroup; exit 7");
    expect(result.exitCode).toBe(7);
    expect(result.stdout).toStartWith("sleep\u000010000\u0000");
    expect(result.stdout).toContain(":pids:/\n"); // the root of its cgroup namespace
    expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).toContain(runtime.cgroupParent);
    expect((await exec("box", "sh", "-c", "kill -9 $$")).exitCode).toBe(137);
  });

  test("flags change the container's own process", async () => {
    const words = ["-u", "5:6", "-g", "7", "-e", "A=B", "--cwd", "/tmp", "--cap", "CAP_NET_RAW", "box"];
    const { stdout } = await exec(
      ...words,
      "sh",
      "-c",
      "id -u; id -G; echo $A $HOME; pwd; grep CapBnd /proc/self/status",
    );
    expect(stdout).toBe("5\n6 7\nB /\n/tmp\nCapBnd:\t0000000020002420\n");
    expect((await exec("box", "sh", "-c", "echo $HOME")).stdout).toBe("/root\n");
    expect((await exec("-u", "4294967295", "box", "true")).exitCode).toBe(255);
  });

  test("a variable that is given again replaces the first; one without = is refused", async () => {
    // The shell takes the last of several, but getenv(3) the first: there must be one.
    const { stdout } = await exec("-e", "A=1", "-e", "PATH=/bin", "-e", "A=2", "-e", "TERM=x", "box", "env");
    expect(stdout).toBe("PATH=/bin\nTERM=x\nA=2\nHOME=/root\n");
    expect(await exec("-e", "BAD", "box", "true")).toMatchObject({
      exitCode: 255,
      stderr: expect.stringContaining('invalid environment variable: \\"BAD\\"'),
    });
  });

  test("--process takes a process.json", async () => {
    const file = join(runtime.directory, "process.json");
    const process = {
      args: ["sh", "-c", "echo $X; id -u; grep NoNewPrivs /proc/self/status"],
      cwd: "/",
      env: ["PATH=/bin", "X=1"],
      user: { uid: 3, gid: 3 },
      noNewPrivileges: true,
    };
    writeFileSync(file, JSON.stringify(process));
    expect((await exec("--process", file, "box")).stdout).toBe("1\n3\nNoNewPrivs:\t1\n");
  });

  test("--detach leaves it running and writes its pid", async () => {
    const pidFile = join(runtime.directory, "exec.pid");
    expect((await exec("--detach", "--pid-file", pidFile, "box", "sleep", "5000")).exitCode).toBe(0);
    const pid = Number(readFileSync(pidFile, "utf8"));
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toBe("sleep\u00005000\u0000");
    expect(JSON.parse(await runtime.must("ps", "--format", "json", "box"))).toContain(pid);
    expect(await runtime.must("ps", "box")).toMatch(/PID[\s\S]*sleep 5000/);
    process.kill(pid, "SIGKILL");
  });

  test("a pid file that cannot be written: told, and the process does not go on", async () => {
    const result = await exec("--detach", "--pid-file", "/nowhere/pid", "box", "sleep", "6000");
    expect(result).toMatchObject({
      exitCode: 255,
      stderr: expect.stringContaining("write pid file /nowhere/pid: no such file or directory"),
    });
    await waitFor("its end", async () => !(await runtime.must("ps", "box")).includes("sleep 6000"));
  });

  test("an empty name of a file is none", async () => {
    const words = ["--pid-file", "", "--console-socket", "", "--pidfd-socket", ""];
    expect(await exec(...words, "--cwd", "", "box", "pwd")).toMatchObject({ exitCode: 0, stdout: "/\n" });
    const bundle = runtime.bundle(["true"]);
    expect(await runtime.run(["run", ...words, "--bundle", bundle, "empty"])).toMatchObject({ exitCode: 0 });
  });

  test("what cannot be run is told with exit code 255", async () => {
    const result = await exec("box", "nix");
    expect(result.exitCode).toBe(255);
    expect(JSON.stringify(result.stderr)).toContain("executable file not found in $PATH");
    expect((await exec("--cwd", "/nix", "box", "true")).stderr).toContain("/nix");
    expect((await exec("box")).stderr).toContain("process args cannot be empty");
    expect((await exec("--process", "/nowhere", "box")).stderr).toContain(
      'exec failed: open /nowhere: no such file or directory"',
    );
    expect((await runtime.run(["update", "--resources", "/nowhere", "box"])).stderr).toContain(
      'msg="read /nowhere: no such file or directory"',
    );
  });

  test("standard input reaches it", async () => {
    expect(await runtime.run(["exec", "box", "cat"], { input: "in\n" })).toMatchObject({ stdout: "in\n" });
  });

  test("a paused container refuses it", async () => {
    await runtime.must("pause", "box");
    expect((await runtime.state("box")).status).toBe("paused");
    expect((await exec("box", "true")).stderr).toContain("cannot exec in a paused container");
    expect((await runtime.run(["start", "box"])).stderr).toContain(
      "cannot start a container in the paused state",
    );
    await runtime.must("resume", "box");
    expect((await runtime.run(["resume", "box"])).stderr).toContain("container not paused");
    expect((await exec("box", "true")).exitCode).toBe(0);
  });

  test("list, and its formats", async () => {
    expect(await runtime.must("list", "-q")).toBe("box\n");
    expect(JSON.parse(await runtime.must("list", "--format", "json"))).toMatchObject([
      { id: "box", status: "running", owner: "root" },
    ]);
    expect(await runtime.must("list")).toMatch(
      /^ID +PID +STATUS +BUNDLE +CREATED +OWNER\nbox +\d+ +running /,
    );
  });

  test("update changes limits, from flags and from standard input; a refused one changes nothing", async () => {
    const { pid } = await runtime.state("box");
    const path = /:pids:(.*)/.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
    const limit = (file: string) =>
      readFileSync(`/sys/fs/cgroup/${file.split(".")[0]}${path}/${file}`, "utf8").trim();
    await runtime.must("update", "--pids-limit", "50", "--memory", "64m", "--memory-swap", "64m", "box");
    expect([limit("pids.max"), limit("memory.limit_in_bytes")]).toEqual(["50", String(64 << 20)]);
    // Upwards memory+swap goes first, downwards memory.
    for (const size of ["128m", "32m"]) {
      await runtime.must("update", "--memory", size, "--memory-swap", size, "box");
      expect(limit("memory.limit_in_bytes")).toBe(String(Number.parseInt(size, 10) << 20));
    }
    const refused = await runtime.run(["update", "-r", "-", "box"], {
      input: JSON.stringify({ pids: { limit: 60 }, cpu: { cpus: "99" } }),
    });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("cpu.cpus") });
    expect(limit("pids.max")).toBe("50");
    await runtime.run(["update", "--resources", "-", "box"], { input: '{"pids":{"limit":-1}}' });
    expect(limit("pids.max")).toBe("max");
  });

  test("events --stats has runc's object", async () => {
    const { type, id, data } = JSON.parse(await runtime.must("events", "--stats", "box"));
    expect({ type, id }).toEqual({ type: "stats", id: "box" });
    expect(data.pids.current).toBeGreaterThan(0);
    expect(data.memory.usage.usage).toBeGreaterThan(0);
    expect(data.cpu.usage.total).toBeGreaterThan(0);
  });

  test("events tells of memory that ran out, and ends with the container", async () => {
    const bundle = runtime.bundle(["sh", "-c", "read x; x=a; while :; do x=$x$x; done"], (spec) => {
      spec.linux.resources = { memory: { limit: 8 << 20, swap: 8 << 20 } };
    });
    const run = Bun.spawn([...runtime.argv, "--root", runtime.root, "run", "--bundle", bundle, "oom"], {
      stdin: "pipe",
    });
    await waitFor("the container", async () =>
      (await runtime.run(["state", "oom"])).stdout.includes('"running"'),
    );
    const events = Bun.spawn([...runtime.argv, "--root", runtime.root, "events", "--interval", "1h", "oom"], {
      stdout: "pipe",
    });
    await waitFor("the listener", () => readFileSync(`/proc/${events.pid}/wchan`, "utf8").includes("poll"));
    run.stdin.write("\n");
    run.stdin.end();
    expect(await run.exited).toBe(137);
    expect(await events.stdout.text()).toContain('{"type":"oom","id":"oom"}\n');
  });

  test("features and --version", async () => {
    const features = JSON.parse(await runtime.must("features"));
    expect(features).toMatchObject({
      ociVersionMin: "1.0.0",
      ociVersionMax: "1.3.0",
      linux: { cgroup: { v1: true, v2: true } },
    });
    expect(features.mountOptions).toContain("rbind");
    expect(await runtime.must("--version")).toMatch(/^gantry-runtime version \S+\nspec: 1\.3\.0\n/);
  });
});
