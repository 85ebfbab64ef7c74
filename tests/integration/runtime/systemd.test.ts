import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";

const reason = runtimeMissing();
const systemdRuns = existsSync("/run/systemd/system");

/** With a systemd that runs: tests/qemu/systemd.test.ts. */
describe.skipIf(reason !== undefined)(`--systemd-cgroup${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  test.skipIf(systemdRuns)("without systemd create and run say so, and the way out", async () => {
    const bundle = runtime.bundle(["true"]);
    for (const name of ["create", "run"]) {
      const { exitCode, stderr } = await runtime.run(["--systemd-cgroup", name, "--bundle", bundle, "none"]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain("systemd is not running on this host: there is no /run/systemd/system");
      expect(stderr).toContain("SystemdCgroup = false");
    }
    expect(existsSync(join(runtime.root, "none"))).toBe(false);
  });

  test.skipIf(systemdRuns)("a user without a systemd of their own is told which one is missing", async () => {
    const bundle = runtime.bundle(["true"]);
    const { stderr } = await runtime.run([
      "--systemd-cgroup",
      "--rootless",
      "true",
      "run",
      "-b",
      bundle,
      "none",
    ]);
    expect(stderr).toMatch(/no systemd serves this user: there is no \/.*\/systemd"/);
  });

  test("the other commands do not mind: the container knows how it was made", async () => {
    await runtime.must("create", "--bundle", runtime.bundle(["sleep", "1000"]), "box");
    for (const args of [["state", "box"], ["start", "box"], ["list"], ["ps", "box"], ["delete", "-f", "box"]])
      expect(await runtime.run(["--systemd-cgroup", ...args])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(runtime.leftovers()).toEqual([]);
  });

  test("without it, systemd's form of a path is refused", async () => {
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.linux.cgroupsPath = "system.slice:runc:box";
    });
    const { stderr } = await runtime.run(["run", "--bundle", bundle, "box"]);
    expect(stderr).toContain("linux.cgroupsPath: system.slice:runc:box is for systemd");
    expect(stderr).toContain("hint: give --systemd-cgroup");
  });

  test("features tells of it", async () => {
    expect(JSON.parse(await runtime.must("features"))).toMatchObject({
      linux: { cgroup: { systemd: true, systemdUser: true } },
      potentiallyUnsafeConfigAnnotations: ["org.systemd.property."],
    });
  });
});
