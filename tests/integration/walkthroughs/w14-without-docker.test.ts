import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { command, mustRun } from "../../fixtures/command.ts";
import { gantryPath } from "../../fixtures/places.ts";

/** W14: a container without an engine, then with nothing but the commands of the system. */
describe.skipIf(runtimeMissing() !== undefined)("W14 without Docker, by hand", () => {
  let runtime: TestRuntime;
  let bundle: string;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
    bundle = runtime.bundle(["sh", "-c", "hostname; echo $$; ls -d /proc/[0-9]*"], (spec) => {
      spec.hostname = "by-hand";
    });
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  test("create, state, start, list, delete: a step at a time", async () => {
    const waiting = runtime.bundle(["sleep", "600"]);
    await runtime.must("create", "--bundle", waiting, "w14");
    expect(await runtime.state("w14")).toMatchObject({ id: "w14", status: "created", bundle: waiting });
    await runtime.must("start", "w14");
    expect((await runtime.state("w14")).status).toBe("running");
    expect(JSON.parse(await runtime.must("list", "--format", "json"))).toMatchObject([{ id: "w14" }]);
    await runtime.must("delete", "--force", "w14");
    expect(await runtime.must("list", "--quiet")).toBe("");
  });

  test("run in one go", async () => {
    expect(await runtime.must("run", "--bundle", bundle, "once")).toStartWith("by-hand\n1\n");
  });

  test("nothing but unshare, mount, pivot_root, mkdir and setpriv", async () => {
    const script = join(bundle, "by-hand.sh");
    await Bun.write(script, await mustRun([gantryPath, "explain", "--as", "shell", "--bundle", bundle]));
    expect(await Bun.file(script).text()).not.toContain("gantry-helper");
    expect(await command(["sh", script])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("by-hand\n1\n"),
      stderr: "",
    });
    expect(runtime.cgroupsOf(bundle)).toEqual([]);
  });
});
