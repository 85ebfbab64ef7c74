import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { clients } from "../../fixtures/engine.ts";
import { cgroupV1, HostProcess, readCgroup } from "../../fixtures/host-process.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("w2", ["busybox"]);

/** The disk below the engines' directories; undefined where that is none, as a tmpfs. */
const disk = diskOf(tmpdir());

function diskOf(directory: string): string | undefined {
  const { dev } = statSync(directory);
  const path = `/sys/dev/block/${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  if (!existsSync(path)) return undefined;
  const whole = existsSync(`${path}/partition`) ? `${path}/..` : path;
  return `/dev/${/^DEVNAME=(.*)$/m.exec(readFileSync(`${whole}/uevent`, "utf8"))?.[1]}`;
}

/** CPU time of a cgroup so far, in nanoseconds. */
function cpuTimeNs(it: HostProcess): number {
  if (cgroupV1) return Number(readCgroup(it.cgroup("cpuacct"), "cpuacct.usage"));
  return Number(/usage_usec (\d+)/.exec(readCgroup(it.cgroup("cpu"), "cpu.stat"))?.[1]) * 1000;
}

function throttledPeriods(it: HostProcess): number {
  return Number(/nr_throttled (\d+)/.exec(readCgroup(it.cgroup("cpu"), "cpu.stat"))?.[1]);
}

describe.each(clients)("W2 limits hold, with %s", (client) => {
  test("half a CPU by quota is at most half a CPU", async () => {
    const { engine } = machine;
    const name = `half-${client}`;
    await engine.must(
      client,
      "run",
      "-d",
      "--name",
      name,
      "--cpus",
      "0.5",
      "busybox",
      "sh",
      "-c",
      "while :; do :; done",
    );
    const busy = new HostProcess(Number(await engine.must(client, "inspect", "-f", "{{.State.Pid}}", name)));
    const before = { cpuNs: cpuTimeNs(busy), atNs: Bun.nanoseconds() };
    // Twenty periods of 100 ms in which it wanted more than it got.
    await waitFor("throttled periods", () => throttledPeriods(busy) >= 20);
    const share = (cpuTimeNs(busy) - before.cpuNs) / (Bun.nanoseconds() - before.atNs);
    await engine.must(client, "rm", "-f", name);
    expect(share).toBeGreaterThan(0.2); // lower only when the machine itself is busy
    expect(share).toBeLessThan(0.6);
  });

  test("memory beyond the limit is the end of the container, not of its neighbour", async () => {
    const { engine } = machine;
    const [greedy, neighbour] = [`greedy-${client}`, `neighbour-${client}`];
    await engine.must(client, "run", "-d", "--name", neighbour, "busybox", "sleep", "600");
    const result = await engine[client]([
      "run",
      "--name",
      greedy,
      "-m",
      "64m",
      "busybox",
      "tail",
      "/dev/zero",
    ]);
    expect(result.exitCode).toBe(137);
    const state = await engine.must(
      client,
      "inspect",
      "-f",
      "{{.State.OOMKilled}} {{.State.ExitCode}}",
      greedy,
    );
    expect(state).toBe("true 137");
    expect(await engine.must(client, "inspect", "-f", "{{.State.Running}}", neighbour)).toBe("true");
    await engine.must(client, "rm", "-f", greedy, neighbour);
  });

  test("a fork bomb stops at the limit of processes", async () => {
    const script = "i=0; while [ $i -lt 60 ]; do sleep 60 & i=$((i+1)); done; echo unreachable";
    const result = await machine.engine[client]([
      "run",
      "--rm",
      "--pids-limit",
      "20",
      "busybox",
      "sh",
      "-c",
      script,
    ]);
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toContain("can't fork");
    expect(result.stdout).not.toContain("unreachable");
  });

  test.skipIf(disk === undefined)("writing faster than the limit of the disk is slowed", async () => {
    const { engine } = machine;
    const limit = ["--device-write-bps", `${disk}:2mb`];
    const id = await engine.must(client, "run", "-d", ...limit, "busybox", "sleep", "600");
    const write = (mebibytes: number) =>
      engine.must(
        client,
        "exec",
        id,
        "dd",
        "if=/dev/zero",
        "of=/x",
        "bs=256k",
        `count=${4 * mebibytes}`,
        "oflag=direct",
      );
    await write(1); // what is saved up may be spent at once
    const startNs = Bun.nanoseconds();
    await write(2);
    expect(Bun.nanoseconds() - startNs).toBeGreaterThan(0.7e9); // a second, and nothing of the machine makes it shorter
    await engine.must(client, "rm", "-f", id);
  });
});
