import { describe, expect, test } from "bun:test";
import { clients } from "../../fixtures/engine.ts";
import { HostProcess } from "../../fixtures/host-process.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("restart", ["busybox"]);

/** Prints 0, 1, 2 … until it is asked to end, and then ends with 7. It gives up by itself after a minute or so. */
const counter = "trap 'exit 7' TERM; i=0; while [ $i -lt 5000000 ]; do echo $i; i=$((i+1)); done";

/** The first line that is not its own number: a gap, a repetition, a torn line. Undefined when all are right. */
function firstDiscontinuity(output: string): string | undefined {
  return output.split("\n").find((line, index) => line !== String(index));
}

/** W15: the layer in the middle goes and comes, the containers do not notice. */
describe.each(clients)("W15 after kill -9 of the engine, with %s", (client) => {
  const must = (...args: string[]) => machine.engine.must(client, ...args);
  const pidOf = async (name: string) => Number(await must("inspect", "-f", "{{.State.Pid}}", name));

  test("running containers still run, with complete logs and the right exit code", async () => {
    const { engine } = machine;
    const name = `counter-${client}`;
    await must("run", "-d", "--name", name, "busybox", "sh", "-c", counter);
    const before = new HostProcess(await pidOf(name));
    await waitFor("output", async () => (await must("logs", name)).split("\n").length > 1000);

    await engine.kill("SIGKILL");
    expect(before.exists).toBe(true);
    const ticks = before.cpuTicks;
    await waitFor("work that is done while no engine runs", () => before.cpuTicks > ticks + 10);
    await engine.boot();

    expect(await pidOf(name)).toBe(before.pid);
    expect(await must("ps", "--format", "{{.Names}} {{.Status}}")).toContain(`${name} Up`);
    expect(await must("exec", name, "echo", "still here")).toBe("still here");
    const waiting = engine[client](["wait", name]);
    await must("kill", "-s", "TERM", name);
    expect((await waiting).stdout).toBe("7\n");
    expect(firstDiscontinuity(await must("logs", name))).toBeUndefined();
    await must("rm", name);
  });

  test("a container that ends meanwhile has its exit code, its end and its last line", async () => {
    const { engine } = machine;
    const name = `brief-${client}`;
    await must(
      "run",
      "-d",
      "--name",
      name,
      "busybox",
      "sh",
      "-c",
      "trap 'echo last; exit 9' TERM; echo first; while :; do sleep 0.05; done",
    );
    await waitFor("the first line", async () => (await must("logs", name)) === "first");
    const process = new HostProcess(await pidOf(name));
    await engine.kill("SIGKILL");
    globalThis.process.kill(process.pid, "SIGTERM");
    await waitFor("its end", () => !process.exists);
    await engine.boot();
    expect(await must("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name)).toBe("exited 9");
    expect(await must("wait", name)).toBe("9");
    expect(await must("logs", name)).toBe("first\nlast");
    await must("rm", name);
  });

  test("new containers start beside old ones", async () => {
    const { engine } = machine;
    const name = `old-${client}`;
    await must("run", "-d", "--name", name, "busybox", "sleep", "600");
    await engine.kill("SIGKILL");
    await engine.boot();
    const address = (it: string) =>
      must("inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", it);
    await must("run", "-d", "--name", `new-${client}`, "busybox", "sleep", "600");
    expect(await address(`new-${client}`)).not.toBe(await address(name));
    await must("exec", `new-${client}`, "ping", "-c", "1", "-W", "5", await address(name));
    await must("rm", "-f", name, `new-${client}`);
  });

  test("a published port stays published", async () => {
    const { engine } = machine;
    const name = `web-${client}`;
    await must(
      "run",
      "-d",
      "--name",
      name,
      "-p",
      "127.0.0.1::8080",
      "busybox",
      "sh",
      "-c",
      "mkdir /www; echo page > /www/index.html; exec httpd -f -p 8080 -h /www",
    );
    const ports = JSON.parse(await must("inspect", "-f", "{{json .NetworkSettings.Ports}}", name));
    const url = `http://127.0.0.1:${ports["8080/tcp"][0].HostPort}/`;
    const page = () =>
      fetch(url, { keepalive: false, signal: AbortSignal.timeout(2000) }).then(
        (response) => response.text(),
        () => undefined,
      );
    expect(await waitFor("the page", page)).toBe("page\n");
    await engine.kill("SIGKILL");
    await engine.boot();
    expect(await waitFor("the page after the restart", page)).toBe("page\n");
    await must("rm", "-f", name);
    await expect(fetch(url, { signal: AbortSignal.timeout(2000) })).rejects.toThrow();
  });
});

test("an orderly stop of the engine leaves containers running, too", async () => {
  const { engine } = machine;
  await engine.must("gantry", "run", "-d", "--name", "orderly", "busybox", "sleep", "600");
  const pid = Number(await engine.must("gantry", "inspect", "-f", "{{.State.Pid}}", "orderly"));
  await engine.kill("SIGTERM");
  expect(new HostProcess(pid).exists).toBe(true);
  await engine.boot();
  expect(await engine.must("gantry", "inspect", "-f", "{{.State.Pid}}", "orderly")).toBe(String(pid));
  await engine.must("gantry", "rm", "-f", "orderly");
});
