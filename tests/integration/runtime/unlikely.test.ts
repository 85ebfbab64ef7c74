import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing() ?? (Bun.which("strace") === null ? "needs strace" : undefined);

/** Orders of events, and failures, that a kernel brings about once in a long while: strace does so each time. */
describe.skipIf(reason !== undefined)(`the unlikely${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const injecting = (fault: string, ...words: string[]) => [
    ...[
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      `trace=${fault.split(":")[0]}`,
      "-e",
      `inject=${fault}`,
    ],
    ...runtime.argv,
    ...["--root", runtime.root],
    ...words,
  ];

  test("a process that is faster than whoever tells its pid has that pid all the same", async () => {
    await runtime.must("run", "--detach", "--bundle", runtime.bundle(["sleep", "1000"]), "box");
    const pidFile = join(runtime.directory, "faster");
    const words = ["exec", "--detach", "--pid-file", pidFile, "box", "sleep", "1000"];
    const child = Bun.spawn(injecting("clone3:delay_exit=50000", ...words));
    await waitFor("its pid", () => existsSync(pidFile));
    const pid = readFileSync(pidFile, "utf8");
    await waitFor("its program", () => readFileSync(`/proc/${pid}/cmdline`, "utf8") === "sleep\x001000\0");
    await runtime.must("delete", "--force", "box");
    expect(await child.exited).toBe(0); // strace follows all that it has seen begin
  });

  test("a hook for which there is no process fails create", async () => {
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.hooks = { createRuntime: [{ path: "/bin/true" }] };
    });
    const words = injecting("clone3:error=EAGAIN:when=2", "create", "--bundle", bundle, "hook");
    const child = Bun.spawn(words, { stderr: "pipe", timeout: 10_000, killSignal: "SIGKILL" });
    expect(await child.stderr.text()).toContain(
      "run createRuntime hook /bin/true: resource temporarily unavailable",
    );
    expect(await child.exited).toBe(1);
    expect(runtime.leftovers()).toEqual([]);
  });
});
