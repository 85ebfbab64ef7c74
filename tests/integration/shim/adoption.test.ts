import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { HelperShimLauncher } from "../../../src/shim/helper-shim-launcher.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { helperPath, missing, readLog, TestBox } from "./test-box.ts";

const reason = missing();
const noStdin = { tty: false, openStdin: false, stdinOnce: false };

/** Of the shim that monitors `pid`. */
const shimOf = (pid: number) =>
  Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

describe.skipIf(reason !== undefined)(`without its engine${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let box: TestBox;
  beforeAll(() => {
    box = new TestBox();
  });
  afterAll(() => box[Symbol.asyncDispose]());
  /** A launcher as a restarted engine has it. */
  const later = () => new HelperShimLauncher(helperPath);

  test("a container goes on, and keeps its exit status", async () => {
    const script = "echo before; while [ ! -e /tmp/go ]; do sleep 0.02; done; echo after; exit 12";
    const request = box.request(box.plan({ args: ["sh", "-c", script] }));
    const shim = await box.launch(request);
    await shim.init.start();
    shim.disconnect();
    await Bun.write(`${box.root}/tmp/go`, "");
    await waitFor("the exit file", () => existsSync(`${request.directory}/exit`));
    expect(readLog(request, "stdout")).toEqual(["before\n", "after\n"]);
    const adoption = await later().adopt(request.containerId, request.directory);
    expect(adoption).toMatchObject({ state: "exited", status: { exitCode: 12, signal: 0 } });
  });

  test("a running container is adopted: its end, its output and exec are there", async () => {
    const request = box.request(
      box.plan({ args: ["sh", "-c", "trap 'exit 4' TERM; while :; do sleep 0.02; done"] }),
    );
    const first = await box.launch(request);
    await first.init.start();
    const { pid } = first.init;
    first.disconnect();
    const adoption = await later().adopt(request.containerId, request.directory);
    if (adoption.state !== "live") throw new Error(`the container is ${adoption.state}`);
    const { shim, started } = adoption;
    expect(started).toBe(true);
    expect(shim.init.pid).toBe(pid);
    const plan = box.execPlan(pid, { args: ["kill", "-TERM", "1"] });
    const process = await shim.exec({ execId: "later", plan, stdio: noStdin });
    await process.start();
    expect((await process.exited).exitCode).toBe(0);
    expect((await shim.init.exited).exitCode).toBe(4);
  });

  test("a container that was only created is adopted as such", async () => {
    const request = box.request(box.plan({ args: ["sh", "-c", "exit 6"] }));
    (await box.launch(request)).disconnect();
    const adoption = await later().adopt(request.containerId, request.directory);
    if (adoption.state !== "live") throw new Error(`the container is ${adoption.state}`);
    expect(adoption.started).toBe(false);
    await adoption.shim.init.start();
    expect((await adoption.shim.init.exited).exitCode).toBe(6);
  });

  test("a second shim is not put into the directory of one that lives, but into that of a dead one", async () => {
    const request = box.request(box.plan({ args: ["sleep", "1000"] }));
    const first = await box.launch(request);
    await first.init.start();
    await expect(later().launch(request)).rejects.toThrow(`a shim runs in ${request.directory} already`);
    await first.init.signal(9);
    expect((await first.init.exited).exitCode).toBe(137);
    const second = await waitFor("the end of the first shim", () =>
      later()
        .launch(request)
        .catch(() => undefined),
    );
    expect(second.init.pid).not.toBe(first.init.pid);
    await second.init.signal(9);
    await second.init.exited;
  });

  test("a directory without a shim and without a status is lost", async () => {
    expect(await later().adopt("nobody", `${box.directory}/nobody`)).toEqual({ state: "lost" });
  });

  test("when the shim is killed, the process without an owner is killed as well", async () => {
    const request = box.request(box.plan({ args: ["sleep", "1000"] }));
    const shim = await box.launch(request);
    await shim.init.start();
    const { pid } = shim.init;
    process.kill(shimOf(pid), "SIGKILL");
    expect(await shim.init.exited).toMatchObject({ exitCode: 137, signal: 9 });
    await waitFor("the end of the process", () => !existsSync(`/proc/${pid}/ns/pid`) || isZombie(pid));
    await expect(shim.init.signal(15)).rejects.toThrow("shim is gone");
  });

  test("the end of an exec'd process that nobody heard of is told to the next engine", async () => {
    const request = box.request(box.plan({ args: ["sleep", "1000"] }));
    const first = await box.launch(request);
    await first.init.start();
    const plan = box.execPlan(first.init.pid, { args: ["sh", "-c", "sleep 0.1; exit 3"] });
    const process = await first.exec({ execId: "orphan", plan, stdio: noStdin });
    await process.start();
    first.disconnect();
    const file = `${request.directory}/exit-orphan`;
    await waitFor("the status of the exec'd process", () => existsSync(file));
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ exitCode: 3, pid: process.pid });
    const adoption = await later().adopt(request.containerId, request.directory);
    if (adoption.state !== "live") throw new Error(`the container is ${adoption.state}`);
    await adoption.shim.init.signal(9);
    await adoption.shim.init.exited;
  });

  test("a prepared process that nobody will ever start is ended", async () => {
    const request = box.request(box.plan({ args: ["sleep", "1000"] }));
    const shim = await box.launch(request);
    const { pid } = shim.init;
    shim.disconnect();
    await waitFor("the exit file", () => existsSync(`${request.directory}/exit`));
    expect(JSON.parse(readFileSync(`${request.directory}/exit`, "utf8"))).toMatchObject({
      exitCode: 137,
      detail: "the engine went away before the start",
    });
    expect(existsSync(`/proc/${pid}/ns/pid`)).toBe(false);
  }, 30_000);
});

function isZombie(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return true;
  }
}
