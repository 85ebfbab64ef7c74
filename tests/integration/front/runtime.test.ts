import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing();
/** What both ways of doing a command have to have in common. */
const ways = ["front", "full"] as const;
type Way = (typeof ways)[number];

/** The full program reserves gigabytes of addresses, so that only the front runs within 64 MiB. */
const frontOnly = ["sh", "-c", 'ulimit -v 65536 && exec "$@"', "sh"];

describe.skipIf(reason !== undefined)(`the front as OCI runtime${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterEach(async () => {
    for (const id of existsSync(runtime.root) ? readdirSync(runtime.root) : [])
      await runtime.run(["delete", "--force", id]);
    expect(runtime.leftovers()).toEqual([]);
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const sleeper = () => runtime.bundle(["sleep", "1000"]);
  const create = (id: string, bundle = sleeper()) => runtime.must("create", "--bundle", bundle, id);

  async function call(argv: readonly string[], env: Record<string, string> = {}) {
    const child = Bun.spawn([...argv], {
      cwd: runtime.directory,
      env: { ...process.env, ...env },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { exitCode: await child.exited, stdout, stderr };
  }

  const byFront = (...args: string[]) =>
    call([...frontOnly, gantryPath, "runtime", "--root", runtime.root, ...args]);
  const by = (way: Way, args: readonly string[]) =>
    call(
      [gantryPath, "runtime", "--root", runtime.root, ...args],
      way === "full" ? { GANTRY_OWN_PROCESS: "1" } : {},
    );
  const stopped = (id: string) =>
    waitFor(`${id} to stop`, async () => (await runtime.state(id)).status === "stopped");

  test("state, start, kill and delete need no JavaScript", async () => {
    const bundle = sleeper();
    await create("plain", bundle);
    const done = { exitCode: 0, stderr: "" };
    expect(JSON.parse((await byFront("state", "plain")).stdout)).toMatchObject({ status: "created" });
    expect(await byFront("--systemd-cgroup", "--debug", "start", "plain")).toEqual({ ...done, stdout: "" });
    expect(JSON.parse((await byFront("state", "plain")).stdout)).toMatchObject({ status: "running" });
    expect(await byFront("kill", "-a", "plain", "sigkill")).toEqual({ ...done, stdout: "" });
    await stopped("plain");
    expect(JSON.parse((await byFront("state", "plain")).stdout)).toMatchObject({ status: "stopped", pid: 0 });
    expect(await byFront("delete", "plain")).toEqual({ ...done, stdout: "" });
    expect(runtime.cgroupsOf(bundle)).toEqual([]);
    expect(runtime.leftovers()).toEqual([]);
  });

  test("and the full program cannot run where they did", async () => {
    await create("other");
    expect((await byFront("list")).exitCode).not.toBe(0);
    expect(
      (
        await call([...frontOnly, gantryPath, "runtime", "--root", runtime.root, "state", "other"], {
          GANTRY_OWN_PROCESS: "1",
        })
      ).exitCode,
    ).not.toBe(0);
  });

  test("delete --force ends a container that runs, without its own pid namespace, too", async () => {
    const bundle = runtime.bundle(["sh", "-c", "sleep 1000 & exec sleep 1000"], (spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
    });
    await create("shared", bundle);
    expect((await byFront("start", "shared")).exitCode).toBe(0);
    expect(await byFront("delete", "--force", "shared")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(runtime.cgroupsOf(bundle)).toEqual([]);
  });

  test("a frozen container is paused, and is killed all the same", async () => {
    await create("cold");
    await runtime.must("start", "cold");
    await runtime.must("pause", "cold");
    expect(JSON.parse((await byFront("state", "cold")).stdout)).toMatchObject({ status: "paused" });
    expect((await byFront("kill", "cold", "9")).exitCode).toBe(0);
    await stopped("cold");
  });

  test("it makes the log file, as the full program does", async () => {
    await create("logged");
    const log = join(runtime.directory, "front.log");
    expect((await byFront("--log", log, "--log-format=json", "--debug", "state", "logged")).exitCode).toBe(0);
    expect(readFileSync(log, "utf8")).toBe("");
  });

  const bundleOfSame = () => {
    const bundle = join(runtime.directory, "same");
    if (!existsSync(bundle)) symlinkSync(sleeper(), bundle);
    return bundle;
  };

  async function putSame(status: string): Promise<void> {
    if (status === "absent") return;
    await create("same", bundleOfSame());
    if (status === "created") return;
    await runtime.must("start", "same");
    if (status === "paused") await runtime.must("pause", "same");
    if (status !== "stopped") return;
    await runtime.must("kill", "same", "KILL");
    await stopped("same");
  }

  /** What a call says of a container in this status. */
  async function said(way: Way, status: string, args: readonly string[]) {
    await putSame(status);
    const { exitCode, stdout, stderr } = await by(way, args);
    await runtime.must("delete", "--force", "same");
    return { status, exitCode, stdout: withoutChance(stdout), stderr: withoutTime(stderr) };
  }

  test.each([
    [["state", "same"]],
    [["start", "same"]],
    [["kill", "same"]],
    [["kill", "-a", "same", "winch"]],
    [["delete", "same"]],
    [["delete", "-f", "same"]],
  ])("%p says the same as the full program, whatever the status", async (args) => {
    for (const status of ["created", "running", "paused", "stopped", "absent"])
      expect(await said("front", status, args)).toEqual(await said("full", status, args));
  });

  test.each([
    [["start", "same", "more"]],
    [["kill", "same", "RTMIN+1"]],
    [["kill", "same", "65"]],
    [["kill", "same", "SIGNOPE"]],
    [["kill", "--nope", "same"]],
    [["delete", "--force=false", "same"]],
    [["state", "--", "same"]],
    [["state", "../root/same"]],
    [["--log", "/nowhere/log", "state", "same"]],
    [["--log-format", "xml", "state", "same"]],
    [["state"]],
  ])("%p is left to the full program", async (args) => {
    expect(await said("front", "running", args)).toEqual(await said("full", "running", args));
  });

  test("a step that fails at start is told in the same words", async () => {
    const results = [];
    for (const way of ways) {
      writeFileSync(join(runtime.rootfs, "bin", "empty-elf"), "\x7fELF", { mode: 0o755 });
      await create("failing", runtime.bundle(["/bin/empty-elf"]));
      const { exitCode, stderr } = await by(way, ["start", "failing"]);
      results.push({ exitCode, stderr: withoutTime(stderr) });
      expect(exitCode).toBe(1);
      expect((await runtime.run(["start", "failing"])).stderr).toContain("that has stopped");
      await runtime.must("delete", "failing");
    }
    expect(results[0]).toEqual(results[1] as (typeof results)[0]);
  });

  test.each([
    ["empty", () => ""],
    ["cut off", (text: string) => text.slice(0, -4)],
    ["of another version", (text: string) => text.replace("front-1", "front-2")],
    ["longer than it should be", (text: string) => `${text}more\0`],
    ["with a number that is none", (text: string) => text.replace(/\0\d+\0/, "\x007x\0")],
    ["with a path that is none", (text: string) => text.replace(/\0\/([^\0]*)\0end/, "\0$1\0end")],
  ])("a record that is %s is not used", async (_, damage) => {
    await create("damaged");
    const record = join(runtime.root, "damaged", "front.record");
    writeFileSync(record, damage(readFileSync(record, "utf8")));
    expect((await byFront("state", "damaged")).exitCode).not.toBe(0);
    expect((await runtime.state("damaged")).status).toBe("created");
    await runtime.must("start", "damaged");
    await runtime.must("delete", "--force", "damaged");
  });

  test("a number that belongs to another process now is not signalled", async () => {
    await using bystander = Bun.spawn(["sleep", "1000"]);
    await create("reused");
    const directory = join(runtime.root, "reused");
    const { pid } = await runtime.state("reused");
    for (const [file, from, to] of [
      ["front.record", `\0${pid}\0`, `\0${bystander.pid}\0`],
      ["state.json", `"pid":${pid}`, `"pid":${bystander.pid}`],
    ] as const) {
      const path = join(directory, file);
      writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
    }
    expect((await byFront("state", "reused")).stdout).toContain('"status": "stopped"');
    expect((await runtime.run(["kill", "reused", "KILL"])).stderr).toContain("container not running");
    await runtime.must("delete", "--force", "reused");
    expect(bystander.exitCode).toBeNull();
    bystander.kill();
  });

  test("whoever kills it in the middle finds a container that can be deleted", async () => {
    for (const [attempt, word] of ["start", "kill", "delete", "start", "delete"].entries()) {
      await create("cut");
      const child = Bun.spawn(
        [gantryPath, "runtime", "--root", runtime.root, word, ...(word === "delete" ? ["-f"] : []), "cut"],
        { stdout: "ignore", stderr: "ignore" },
      );
      await Bun.sleep(attempt % 3);
      child.kill("SIGKILL");
      await child.exited;
      expect(await runtime.run(["delete", "--force", "cut"])).toMatchObject({ exitCode: 0, stderr: "" });
      expect(runtime.leftovers()).toEqual([]);
    }
  });

  test("of many starts at a time one succeeds", async () => {
    await create("raced");
    const results = await Promise.all(Array.from({ length: 8 }, () => by("front", ["start", "raced"])));
    expect(results.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
    for (const { exitCode, stderr } of results)
      if (exitCode !== 0) expect(stderr).toContain("cannot start an already running container");
  });

  test("what the front sets for the full program reaches neither container nor hook", async () => {
    const seen = join(runtime.directory, "environment");
    const bundle = runtime.bundle(["env"], (spec) => {
      spec.hooks = { poststop: [{ path: "/bin/sh", args: ["sh", "-c", `env > ${seen}`] }] };
    });
    const run = await by("front", ["run", "--bundle", bundle, "environment"]);
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout).toContain("PATH=");
    expect(run.stdout).not.toContain("BUN_JSC");
    expect(readFileSync(seen, "utf8")).not.toContain("BUN_JSC");
  });

  test("a setting of the caller's own is kept", async () => {
    const argv = [gantryPath, "runtime", "--root", runtime.root, "--version"];
    expect(await call(argv, { BUN_JSC_useJIT: "1" })).toMatchObject({ exitCode: 0 });
    // Bun refuses what is no truth value, so that it must have got this one.
    expect((await call(argv, { BUN_JSC_useJIT: "nonsense" })).exitCode).not.toBe(0);
  });

  test("hooks are run, by the full program", async () => {
    const ran = join(runtime.directory, "hooks");
    const hook = (word: string) => [{ path: "/bin/sh", args: ["sh", "-c", `echo ${word} >> ${ran}`] }];
    const bundle = runtime.bundle(["sleep", "1000"], (spec) => {
      spec.hooks = { poststart: hook("poststart"), poststop: hook("poststop") };
    });
    await create("hooked", bundle);
    await runtime.must("start", "hooked");
    await runtime.must("delete", "-f", "hooked");
    expect(readFileSync(ran, "utf8")).toBe("poststart\npoststop\n");
  });
});

const withoutTime = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[^"\\]*Z/g, "TIME");
const withoutChance = (text: string) => withoutTime(text).replace(/"pid": [1-9]\d*/, '"pid": PID');
