import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing();
const ways = ["snapshot", "full"] as const;
type Way = (typeof ways)[number];

/** The full program has no system calls then; the snapshot's are linked into the front. */
const withoutAddon = { GANTRY_ADDON: "/nonexistent" };

describe.skipIf(reason !== undefined)(`commands in the snapshot${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  let calls = 0;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterEach(async () => {
    for (const id of existsSync(runtime.root) ? readdirSync(runtime.root) : [])
      await runtime.run(["delete", "--force", id]);
    expect(runtime.leftovers()).toEqual([]);
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  /** Output goes to files, which a container may keep open. */
  async function by(way: Way, args: readonly string[], env: Record<string, string> = {}) {
    const base = join(runtime.directory, `by-${calls++}`);
    const [out, err] = [`${base}.out`, `${base}.err`];
    const child = Bun.spawn([gantryPath, "runtime", "--root", runtime.root, ...args], {
      cwd: runtime.directory,
      env: { ...process.env, ...env, ...(way === "full" ? { GANTRY_OWN_PROCESS: "1" } : withoutAddon) },
      stdin: "ignore",
      stdout: Bun.file(out),
      stderr: Bun.file(err),
    });
    const exitCode = await child.exited;
    return { exitCode, stdout: readFileSync(out, "utf8"), stderr: readFileSync(err, "utf8") };
  }

  const done = { exitCode: 0, stdout: "", stderr: "" };

  test("a whole life needs no Bun", async () => {
    const bundle = runtime.bundle(["sleep", "1000"]);
    expect(await by("snapshot", ["create", "--bundle", bundle, "life"])).toEqual(done);
    expect(await by("snapshot", ["start", "life"])).toEqual(done);
    expect(await by("snapshot", ["exec", "life", "echo", "grüße"])).toEqual({ ...done, stdout: "grüße\n" });
    expect(await by("snapshot", ["update", "--pids-limit", "33", "life"])).toEqual(done);
    expect(await by("snapshot", ["pause", "life"])).toEqual(done);
    expect((await by("snapshot", ["list"])).stdout).toMatch(/^ID .*\nlife +\d+ +paused/);
    expect(await by("snapshot", ["resume", "life"])).toEqual(done);
    expect(JSON.parse((await by("snapshot", ["events", "--stats", "life"])).stdout)).toMatchObject({
      type: "stats",
      data: { pids: { limit: 33 } },
    });
    expect(await by("snapshot", ["delete", "--force", "life"])).toEqual(done);
    expect(runtime.cgroupsOf(bundle)).toEqual([]);
  });

  test("and the full program could not have done it", async () => {
    const bundle = runtime.bundle(["true"]);
    const { exitCode, stderr } = await by("full", ["run", "--bundle", bundle, "full"], withoutAddon);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("native addon cannot be loaded");
  });

  test("run waits in a few megabytes, passes signals on and tells the exit code", async () => {
    const bundle = runtime.bundle(["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.01; done"]);
    const child = Bun.spawn(
      [gantryPath, "runtime", "--root", runtime.root, "run", "--bundle", bundle, "waiting"],
      { env: { ...process.env, ...withoutAddon }, stdio: ["ignore", "ignore", "inherit"] },
    );
    await waitFor(
      "the container to run",
      async () => (await runtime.run(["state", "waiting"])).exitCode === 0,
    );
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    expect(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1])).toBeLessThan(16 * 1024);
    await Bun.sleep(50);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(7);
  });

  const bad = (name: string, config: string | undefined): string => {
    const directory = join(runtime.directory, name);
    if (!existsSync(directory)) mkdirSync(directory);
    if (config !== undefined) writeFileSync(join(directory, "config.json"), config);
    return directory;
  };
  const changed = (change: Parameters<TestRuntime["bundle"]>[1], args = ["true"]) =>
    runtime.bundle(args, change);

  test.each<[string, () => string[]]>([
    ["no bundle", () => ["run", "--bundle", bad("empty", undefined), "x"]],
    ["no object", () => ["create", "--bundle", bad("list", "[]"), "x"]],
    ["a wrong type", () => ["run", "--bundle", bad("typed", '{"ociVersion":"1.0.2","process":7}'), "x"]],
    [
      "a root that is missing",
      () => ["run", "--bundle", changed((it) => Object.assign(it.root, { path: "nowhere" })), "x"],
    ],
    ["a program that is missing", () => ["run", "--bundle", changed(() => {}, ["/nope"]), "x"]],
    [
      "a limit out of range",
      () => [
        "run",
        "--bundle",
        changed((it) => Object.assign(it.linux, { resources: { pids: { limit: -2.5 } } })),
        "x",
      ],
    ],
    ["an id with a slash", () => ["create", "--bundle", changed(() => {}), "a/b"]],
    ["an unknown flag", () => ["create", "--nope", "x"]],
    ["too few words", () => ["create"]],
    ["an unknown container", () => ["exec", "nobody", "true"]],
    ["a log nowhere", () => ["--log", "/nowhere/log", "run", "x"]],
    ["a log format", () => ["--log-format", "xml", "list"]],
  ])("%s is refused in the same words as by the full program", async (_, args) => {
    const words = args();
    const [snapshot, full] = [await by("snapshot", words), await by("full", words)];
    const timeless = (text: string) => text.replace(/time="[^"]*"/g, "");
    expect({ ...snapshot, stderr: timeless(snapshot.stderr) }).toEqual({
      ...full,
      stderr: timeless(full.stderr),
    });
    expect(snapshot.exitCode).not.toBe(0);
    expect(snapshot.stderr).not.toBe("");
  });

  test("what is no JSON is refused with the reason", async () => {
    const { exitCode, stderr } = await by("snapshot", ["run", "--bundle", bad("malformed", '{"a":}'), "x"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/config.json: not valid JSON: unexpected token/);
  });

  test("both leave the same files and cgroups for the same bundle", async () => {
    const seen: unknown[] = [];
    for (const way of ways) {
      const bundle = changed(
        (it) => {
          it.linux.cgroupsPath = `${runtime.cgroupParent}/same`;
          it.annotations = { "org.example.grüße": "😀", big: "18446744073709551615" };
          it.process.env.push("LONG=".padEnd(5000, "x"));
          it.linux.resources = { memory: { limit: 0x7fff_ffff_f000 }, pids: { limit: -1 } };
        },
        ["sleep", "1000"],
      );
      expect(await by(way, ["create", "--bundle", bundle, "same"])).toEqual(done);
      const directory = join(runtime.root, "same");
      const text = (name: string) =>
        readFileSync(join(directory, name), "utf8")
          .replaceAll(bundle, "BUNDLE")
          .replaceAll(/"created":"[^"]*"|"init":\{[^}]*\}|"pid": \d+/g, "");
      const state = JSON.parse(text("state.json").replace(/,,|,\}/g, (it) => it.slice(1)));
      seen.push([readdirSync(directory).sort(), text("config.json"), state.cgroup, state.annotations]);
      expect(await by(way, ["delete", "--force", "same"])).toEqual(done);
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  test("integers beyond 2^53 keep their digits", async () => {
    const bundle = changed(() => {}, ["sleep", "1000"]);
    const file = join(bundle, "config.json");
    const limit = '"resources":{"memory":{"limit":9223372036854771712},';
    writeFileSync(file, readFileSync(file, "utf8").replace(/"resources":\s*\{/, limit));
    expect(await by("snapshot", ["create", "--bundle", bundle, "big"])).toEqual(done);
    expect(readFileSync(join(runtime.root, "big/config.json"), "utf8")).toContain("9223372036854771712");
  });
});
