import { beforeAll, describe, expect, test } from "bun:test";
import { clients } from "../../fixtures/engine.ts";
import { cgroupV1, HostProcess, hostProcesses, readCgroup } from "../../fixtures/host-process.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("w1", ["debian"]);

describe.each(clients)("W1 a container is a process, with %s", (client) => {
  const name = `u-${client}`;
  let id: string;
  let bash: HostProcess;

  beforeAll(async () => {
    const { engine } = machine;
    id = await engine.must(
      client,
      "run",
      "-dit",
      "--name",
      name,
      "--memory",
      "256m",
      "--cpus",
      "2",
      "debian",
      "bash",
    );
    bash = new HostProcess(Number(await engine.must(client, "inspect", "-f", "{{.State.Pid}}", name)));
  });

  test("run -d prints the id, and ps -a shows the container", async () => {
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const row = await machine.engine.must(
      client,
      "ps",
      "-a",
      "--filter",
      `name=${name}`,
      "--format",
      "{{.Status}} {{.Image}}",
    );
    expect(row).toMatch(/^Up .* debian$/);
  });

  test("the host sees bash as a child of the shim, which is no child of the engine", () => {
    expect(bash.name).toBe("bash");
    const shim = bash.parent;
    expect(shim.commandLine.join(" ")).toContain(id);
    expect(shim.parent.pid).not.toBe(machine.engine.pid);
  });

  test("its cgroup is its own, holds just it, and has its limits", () => {
    const memory = bash.cgroup("memory");
    expect(readCgroup(memory, "cgroup.procs")).toBe(String(bash.pid));
    if (cgroupV1) {
      expect(readCgroup(memory, "memory.limit_in_bytes")).toBe("268435456");
      expect(readCgroup(bash.cgroup("cpu"), "cpu.cfs_quota_us")).toBe("200000");
      expect(readCgroup(bash.cgroup("cpu"), "cpu.cfs_period_us")).toBe("100000");
    } else {
      expect(readCgroup(memory, "memory.max")).toBe("268435456");
      expect(readCgroup(memory, "cpu.max")).toBe("200000 100000");
      expect(readCgroup(memory, "pids.current")).toBe("1");
    }
  });

  test("it has namespaces of its own; the shim has the host's", () => {
    const host = new HostProcess(process.pid);
    for (const kind of ["mnt", "pid", "net", "ipc", "uts", "cgroup"]) {
      expect(bash.namespace(kind)).not.toBe(host.namespace(kind));
      expect(bash.parent.namespace(kind)).toBe(host.namespace(kind));
    }
    expect(bash.namespace("user")).toBe(host.namespace("user"));
  });

  test("inside, process 1 is bash, and there is nobody else but the looking process", async () => {
    const list = 'for p in /proc/[0-9]*; do echo "$(basename $p) $(cat $p/comm)"; done';
    const seen = await machine.engine.must(client, "exec", name, "bash", "-c", list);
    expect(seen).toMatch(/^1 bash\n\d+ bash$/);
  });

  test("a busy process is seen alike from the host, and ends when it is killed from inside", async () => {
    const { engine } = machine;
    await engine.must(client, "exec", "-d", name, "sh", "-c", "exec yes > /dev/null");
    const yes = await waitFor("the busy process", () =>
      hostProcesses().find(
        (it) => it.exists && it.name === "yes" && it.namespace("pid") === bash.namespace("pid"),
      ),
    );
    expect(yes.parent.pid).toBe(bash.parent.pid);
    await waitFor("CPU time", () => yes.cpuTicks > 10);
    await engine.must(
      client,
      "exec",
      name,
      "bash",
      "-c",
      "kill $(grep -l '^yes$' /proc/[0-9]*/comm | cut -d/ -f3)",
    );
    await waitFor("its end", () => !yes.exists);
    expect(await engine.must(client, "inspect", "-f", "{{.State.Running}}", name)).toBe("true");
  });
});
