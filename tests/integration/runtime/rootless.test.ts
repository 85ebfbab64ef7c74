import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { command } from "../../fixtures/command.ts";
import { gantryPath } from "../../fixtures/places.ts";

const id = 12345;
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

  const asUser = (...words: string[]) =>
    command([...["setpriv", "--reuid", `${id}`, "--regid", `${id}`, "--clear-groups", binary], ...words], {
      cwd: bundle,
      env: { XDG_RUNTIME_DIR: join(bundle, "state") },
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
});
