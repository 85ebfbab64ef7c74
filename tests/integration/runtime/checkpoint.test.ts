import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requireCriu } from "../../../src/runtime/criu/require-criu.ts";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { command, mustRun } from "../../fixtures/command.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing();

/** Why criu cannot be used on this machine; undefined where it can. The rest is tested in tests/qemu. */
function whyNot(): string | undefined {
  try {
    requireCriu("criu", process.env);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
const criuFails = reason === undefined ? whyNot() : reason;

describe.skipIf(reason !== undefined)(`checkpoint and restore${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterEach(async () => {
    await runtime.run(["delete", "--force", "box"]);
    expect(runtime.leftovers()).toEqual([]);
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const runCounter = async () => {
    const out = join(runtime.directory, "out");
    writeFileSync(out, "0\n");
    const loop = "i=0; while :; do i=$((i+1)); echo $i > /out; sleep 0.05; done";
    const bundle = runtime.bundle(["sh", "-c", loop], (spec) => {
      const mounts = spec.mounts as object[];
      mounts.push({ destination: "/out", type: "bind", source: out, options: ["bind"] });
    });
    await runtime.must("run", "--detach", "--bundle", bundle, "box");
    const counted = () => Number(readFileSync(out, "utf8"));
    return { bundle, counted, beyond: (count: number) => waitFor("the counter", () => counted() > count) };
  };

  test.skipIf(criuFails !== undefined)("a counter goes on where it was", async () => {
    const { bundle, counted, beyond } = await runCounter();
    await beyond(5);
    const images = join(runtime.directory, "images");
    await runtime.must("checkpoint", "--image-path", images, "box");
    const saved = counted();
    expect(await runtime.must("list", "-q")).toBe("");
    await runtime.must("restore", "--detach", "--image-path", images, "--bundle", bundle, "box");
    await beyond(saved + 3);
    expect((await runtime.state("box")).status).toBe("running");
    expect(counted()).toBeLessThan(saved + 200);
  });

  test.skipIf(criuFails === undefined)(
    "where criu cannot work, its reason is told, and all stays as it is",
    async () => {
      const { bundle, counted, beyond } = await runCounter();
      const images = join(runtime.directory, "none");
      const checkpoint = await runtime.run(["checkpoint", "--image-path", images, "box"]);
      expect(checkpoint.exitCode).toBe(1);
      expect(checkpoint.stderr).toContain(`gantry-runtime checkpoint failed: ${criuFails}`);
      expect(checkpoint.stderr).toContain("hint: ");
      expect(existsSync(images)).toBe(false);
      await beyond(counted());
      const restore = await runtime.run(["restore", "--image-path", images, "--bundle", bundle, "other"]);
      expect(restore.exitCode).toBe(1);
      expect(restore.stderr).toContain(`gantry-runtime restore failed: ${criuFails}`);
      expect(await runtime.must("list", "-q")).toBe("box\n");
    },
  );

  test("without criu, its absence is told, with a way out", async () => {
    await runCounter();
    const log = join(runtime.directory, "log.json");
    const words = ["--root", runtime.root, "--log", log, "--log-format", "json", "checkpoint", "box"];
    const result = await command([...runtime.argv, ...words], { env: { PATH: "/nowhere" } });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("hint: install the package `criu`");
    expect(JSON.parse(readFileSync(log, "utf8"))).toMatchObject({
      level: "error",
      msg: "gantry-runtime checkpoint failed: criu is not installed on this host",
    });
    expect((await runtime.state("box")).status).toBe("running");
  });

  test("--criu takes the place of the one in PATH", async () => {
    await runCounter();
    const called = join(runtime.directory, "called");
    const own = join(runtime.directory, "own-criu");
    writeFileSync(own, `#!/bin/sh\necho "$@" >>${called}\n`, { mode: 0o755 });
    const refused = await runtime.run(["--criu", own, "checkpoint", "box"]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`${own} cannot work`) });
    expect(readFileSync(called, "utf8")).toStartWith("swrk 3\n");
    const missing = await runtime.run(["--criu", "/nowhere/criu", "checkpoint", "box"]);
    expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("--criu /nowhere/criu") });
    expect(await runtime.must("--criu", own, "list", "-q")).toBe("box\n"); // which has no use for it
  });

  test("a container whose program has not been started cannot be saved", async () => {
    await runtime.must("create", "--bundle", runtime.bundle(["true"]), "box");
    const result = await runtime.run(["checkpoint", "box"]);
    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("container cannot be checkpointed in the created state"),
    });
  });

  test("what a restore that was killed has mounted is unmounted by delete, and the root behind it is whole", async () => {
    await runtime.must("create", "--bundle", runtime.bundle(["true"]), "box");
    const directory = join(runtime.root, "box");
    rmSync(join(directory, "front.record")); // it is written once a container is whole
    mkdirSync(join(directory, "criu-root"));
    await mustRun(["mount", "--rbind", runtime.rootfs, join(directory, "criu-root")]);
    await runtime.must("delete", "--force", "box");
    expect(existsSync(directory)).toBe(false);
    expect(existsSync(join(runtime.rootfs, "bin/busybox"))).toBe(true);
  });

  test.each([
    [["checkpoint", "--manage-cgroups-mode", "hard", "box"], "soft, full, strict"],
    [["checkpoint", "--empty-ns", "pid", "box"], '--empty-ns: pid is not \\"network\\"'],
    [["checkpoint", "--page-server", "here", "box"], "--page-server"],
    [["restore", "--no-pivot", "box"], "--no-pivot: criu restores a root by pivot_root only"],
  ])("%p is refused by name", async (args, message) => {
    const result = await runtime.run(args);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(message) });
  });
});
