import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing();

describe.skipIf(reason !== undefined)(`lifecycle of the OCI runtime${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const stopped = (id: string) =>
    waitFor(`${id} to stop`, async () => (await runtime.state(id)).status === "stopped");

  test("create waits, start runs, and only once; delete leaves nothing", async () => {
    const bundle = runtime.bundle(["sh", "-c", "echo ran > /ran; exec sleep 1000"]);
    const pidFile = join(runtime.directory, "pid");
    await runtime.must("create", "--bundle", bundle, "--pid-file", pidFile, "one");
    const created = await runtime.state("one");
    expect(created).toMatchObject({
      ociVersion: "1.3.0",
      id: "one",
      status: "created",
      bundle,
      rootfs: runtime.rootfs,
    });
    expect(readFileSync(pidFile, "utf8")).toBe(String(created.pid));
    expect(existsSync(join(runtime.rootfs, "ran"))).toBe(false);
    expect(statSync(join(runtime.root, "one")).mode & 0o777).toBe(0o711);

    await runtime.must("start", "one");
    await waitFor("the program", () => existsSync(join(runtime.rootfs, "ran")));
    expect((await runtime.state("one")).status).toBe("running");
    expect((await runtime.run(["start", "one"])).stderr).toContain(
      "cannot start an already running container",
    );

    expect((await runtime.run(["delete", "one"])).stderr).toContain(
      "cannot delete container one that is not stopped: running",
    );
    await runtime.must("kill", "one", "KILL");
    await stopped("one");
    expect(await runtime.state("one")).toMatchObject({ pid: 0 });
    expect((await runtime.run(["start", "one"])).stderr).toContain(
      "cannot start a container that has stopped",
    );
    expect((await runtime.run(["kill", "one"])).stderr).toContain("container not running");
    await runtime.must("delete", "one");
    expect(existsSync(join(runtime.root, "one"))).toBe(false);
    expect(runtime.cgroupsOf(bundle)).toEqual([]);
    await runtime.must("create", "--bundle", bundle, "one");
    await runtime.must("delete", "--force", "one");
  });

  test("a created container is not deleted without force", async () => {
    await runtime.must("create", "--bundle", runtime.bundle(["true"]), "two");
    const refused = await runtime.run(["delete", "two"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("that is not stopped: created");
    await runtime.must("delete", "-f", "two");
  });

  test("an id is taken once", async () => {
    const bundle = runtime.bundle(["sleep", "1000"]);
    await runtime.must("create", "--bundle", bundle, "three");
    const second = await runtime.run(["create", "--bundle", runtime.bundle(["true"]), "three"]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("container with given ID already exists");
    // The same bundle again: its cgroup is taken as well, which is not what is wrong.
    const again = await runtime.run(["create", "--bundle", bundle, "three"]);
    expect(again.stderr).toContain("container with given ID already exists");
    expect((await runtime.run(["run", "--bundle", bundle, "a b"])).stderr).toContain(
      "invalid container ID format",
    );
    expect((await runtime.state("three")).status).toBe("created");
    await runtime.must("delete", "-f", "three");
  });

  test("edits of config.json after create change nothing", async () => {
    const bundle = runtime.bundle(["sh", "-c", "echo $WHO"], (spec) => spec.process.env.push("WHO=first"));
    const created = Bun.spawn(
      [...runtime.argv, "--root", runtime.root, "create", "--bundle", bundle, "edit"],
      {
        stdout: "pipe",
      },
    );
    expect(await created.exited).toBe(0);
    await Bun.write(join(bundle, "config.json"), "{}");
    await runtime.must("start", "edit");
    expect(await created.stdout.text()).toBe("first\n");
    await stopped("edit");
    await runtime.must("delete", "edit");
  });

  test.each([
    [["state", "nobody"], "container does not exist"],
    [["start", "nobody"], "container does not exist"],
    [["kill", "nobody"], "container does not exist"],
    [["delete", "nobody"], "container does not exist"],
    [["exec", "nobody", "true"], "container does not exist"],
    [["create", "a/b"], "invalid container ID format"],
    [["create", ".."], "invalid container ID format"],
    [["create", ""], "container id cannot be empty"],
    [["state", ".."], "invalid container ID format"],
    [["kill", "../x"], "invalid container ID format"],
    [["start", ""], "container id cannot be empty"],
    [["delete", "--force", "../x"], "invalid container ID format"],
    [["exec", "--process", "/nowhere", "three"], "container does not exist"],
    [["spec", "--bundle", "/nowhere"], 'msg="write /nowhere/config.json: no such file or directory"'],
    [["create", "--bundle", "/etc/passwd", "x"], '/etc/passwd/config.json: not a directory"'],
    [["bogus"], "unknown command"],
    [["state"], "requires exactly 1 argument"],
    [["--bogus", "list"], "unknown flag: --bogus"],
    [["--log-format", "xml", "list"], "invalid log-format: xml"],
    [["kill", "nobody", "SIGFUN"], 'unsupported signal: \\"SIGFUN\\"'],
    [["checkpoint", "nobody"], "container does not exist"],
  ])("%p fails with its reason", async (args, message) => {
    const bundle = runtime.bundle(["true"]);
    const result = await runtime.run(args, { cwd: bundle });
    expect(result.stderr).toContain(message);
    expect(result.exitCode).toBe(args[0] === "exec" ? 255 : 1);
  });

  test("delete --force of an unknown container succeeds", async () => {
    expect(await runtime.run(["delete", "--force", "nobody"])).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test.each([
    [["nix"], 'exec: "nix": executable file not found in $PATH'],
    [["/nix"], 'exec: "/nix": stat /nix: no such file or directory'],
    [["/etc/passwd"], 'exec: "/etc/passwd": permission denied'],
    [["/etc"], 'exec: "/etc": is a directory'],
  ])("a program that cannot be run is told by create and run: %p", async (args, message) => {
    const bundle = runtime.bundle(args);
    const log = join(bundle, "log.json");
    for (const name of ["create", "run"]) {
      const result = await runtime.run([
        "--log",
        log,
        "--log-format",
        "json",
        name,
        "--bundle",
        bundle,
        "bad",
      ]);
      expect(result.exitCode).toBe(1);
      // As runc has it, with a log elsewhere: the bare message.
      expect(result.stderr).toStartWith(
        `gantry-runtime ${name} failed: unable to start container process: ${message}\n`,
      );
      const line = JSON.parse(readFileSync(log, "utf8").trim().split("\n").at(-1) ?? "");
      expect(line).toMatchObject({
        level: "error",
        msg: `gantry-runtime ${name} failed: unable to start container process: ${message}`,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      });
      expect(existsSync(join(runtime.root, "bad"))).toBe(false);
      expect(runtime.cgroupsOf(bundle)).toEqual([]);
    }
  });

  test("a bundle without config.json, or without its root", async () => {
    const empty = await runtime.run(["create", "--bundle", runtime.rootfs, "x"]);
    expect(empty.stderr).toContain("JSON specification file config.json not found");
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.root.path = "gone";
    });
    expect((await runtime.run(["create", "--bundle", bundle, "x"])).stderr).toContain("invalid rootfs");
  });

  test("spec does not overwrite, and its result runs", async () => {
    const again = await runtime.run(["spec", "--bundle", runtime.directory]);
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("config.json exists") });
    expect(await runtime.run(["run", "--bundle", runtime.bundle(["hostname"]), "spec"])).toMatchObject({
      exitCode: 0,
      stdout: "gantry\n",
    });
  });

  test("delete of a container which shares a pid namespace ends all its processes", async () => {
    const bundle = runtime.bundle(["sh", "-c", "sleep 1000 & echo $!; exec sleep 1000"], (spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
    });
    await runtime.must("run", "--detach", "--bundle", bundle, "shared");
    const pids = await waitFor("two processes", async () => {
      const listed: number[] = JSON.parse(await runtime.must("ps", "--format", "json", "shared"));
      return listed.length === 2 && listed;
    });
    await runtime.must("delete", "--force", "shared");
    await waitFor("their end", () => pids.every((pid) => isGone(pid)));
    expect(runtime.cgroupsOf(bundle)).toEqual([]);
  });

  test("create in a cgroup that somebody uses is refused, and leaves them alone", async () => {
    const bundle = runtime.bundle(["sleep", "1000"]);
    const same = runtime.bundle(["true"], (spec) => {
      spec.linux.cgroupsPath = `${runtime.cgroupParent}/${bundle.split("/").at(-1)}`;
    });
    await runtime.must("run", "-d", "--bundle", bundle, "owner");
    expect((await runtime.run(["run", "--bundle", same, "intruder"])).stderr).toContain(
      "is in use by another",
    );
    await runtime.must("delete", "--force", "intruder");
    expect((await runtime.state("owner")).status).toBe("running");
    await runtime.must("delete", "--force", "owner");
  });
});

function isGone(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}
