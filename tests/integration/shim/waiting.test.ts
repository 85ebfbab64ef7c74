import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { HelperShimLauncher } from "../../../src/shim/helper-shim-launcher.ts";
import { HostProcess, hostProcesses } from "../../fixtures/host-process.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { helperPath, missing, TestBox } from "./test-box.ts";

const reason = missing();

/** They are nobody's children, so that they are known by the socket of their launcher, which no other process has. */
const known = new Set(waitingShims().map(({ pid }) => pid));

function waitingShims(): HostProcess[] {
  return hostProcesses().filter((it) => {
    try {
      return it.commandLine[0]?.startsWith("gantry-shim: waiting");
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

const ours = () => waitingShims().filter(({ pid }) => !known.has(pid));

describe.skipIf(reason !== undefined)(`shims made ahead${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let box: TestBox;
  beforeAll(() => {
    box = new TestBox(1);
  });
  afterAll(() => box[Symbol.asyncDispose]());

  const prepare = () => {
    box.launcher.prepare();
    return waitFor("a waiting shim", () => ours()[0]);
  };

  test("the one that waits becomes the container's", async () => {
    const waiting = await prepare();
    const request = box.request(box.plan({ args: ["sleep", "100"] }));
    const shim = await box.launch(request);
    await shim.init.start();
    expect(new HostProcess(shim.init.pid).parent.pid).toBe(waiting.pid);
    expect(waiting.commandLine.join(" ")).toStartWith(`gantry-shim: ${request.containerId}`);
    await shim.init.signal(9);
    expect(await shim.init.exited).toMatchObject({ exitCode: 137 });
    await waitFor("its end", () => !waiting.exists);
  });

  test("it holds what any shim holds: output, exit code, nothing of its launcher", async () => {
    await prepare();
    const result = await box.run({ args: ["sh", "-c", "ls /proc/self/fd; exit 3"] });
    expect(result).toEqual({ exitCode: 3, signal: 0, stdout: "0\n1\n2\n3\n", stderr: "" });
  });

  test("one that was killed is passed over", async () => {
    const waiting = await prepare();
    process.kill(waiting.pid, "SIGKILL");
    await waitFor("its end", () => !waiting.exists);
    expect(await box.run({ args: ["echo", "yes"] })).toMatchObject({ exitCode: 0, stdout: "yes\n" });
  });

  test("it ends with its launcher", async () => {
    await prepare();
    await box.launcher.close(); // or its next one would be taken for ours
    await waitFor("the end of all", () => ours().length === 0);
    const launcher = new HelperShimLauncher(helperPath, {
      waitingShims: 1,
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
    launcher.prepare();
    const waiting = await waitFor("a waiting shim", () => ours()[0]);
    await launcher.close();
    await waitFor("its end", () => !waiting.exists);
  });
});
