import { describe, expect, test } from "bun:test";
import { clients } from "../../fixtures/engine.ts";
import { HostProcess } from "../../fixtures/host-process.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("w4", ["busybox"]);

/** chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap */
const dockersFourteen = "00000000a80425fb";

describe.each(clients)("W4 capabilities, with %s", (client) => {
  const run = (...args: string[]) => machine.engine[client](["run", "--rm", ...args]);
  const status = (field: string) => ["sed", "-n", `s/^${field}:\\t//p`, "/proc/1/status"];

  test("by default process 1 has the fourteen of Docker, and a seccomp filter", async () => {
    for (const field of ["CapEff", "CapPrm", "CapBnd"])
      expect((await run("busybox", ...status(field))).stdout.trim()).toBe(dockersFourteen);
    expect((await run("busybox", ...status("CapAmb"))).stdout.trim()).toBe("0000000000000000");
    expect((await run("busybox", ...status("Seccomp"))).stdout.trim()).toBe("2");
  });

  test("without CHOWN nobody can give a file away", async () => {
    const allowed = await run("busybox", "chown", "1:1", "/tmp");
    expect(allowed).toMatchObject({ exitCode: 0 });
    const refused = await run("--cap-drop", "CHOWN", "busybox", "chown", "1:1", "/tmp");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("Operation not permitted");
  });

  test("without KILL root cannot signal another user's process", async () => {
    const { engine } = machine;
    const name = `nokill-${client}`;
    await engine.must(client, "run", "-d", "--name", name, "--cap-drop", "KILL", "busybox", "sleep", "600");
    await engine.must(client, "exec", "-d", "-u", "65534", name, "sleep", "700");
    const other = await waitFor("the other process", async () => {
      const pids = await engine.must(client, "exec", name, "pidof", "sleep");
      return pids.split(" ").find((pid) => pid !== "1");
    });
    const refused = await engine[client](["exec", name, "kill", other]);
    expect(refused.stderr).toContain("Operation not permitted");
    await engine.must(client, "rm", "-f", name);
  });

  test("a user other than root has none", async () => {
    expect((await run("-u", "1000", "busybox", ...status("CapEff"))).stdout.trim()).toBe("0000000000000000");
  });

  test("dropped and added ones are gone and there", async () => {
    const none = await run("--cap-drop", "ALL", "busybox", ...status("CapEff"));
    expect(none.stdout.trim()).toBe("0000000000000000");
    const one = await run("--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "busybox", ...status("CapEff"));
    expect(BigInt(`0x${one.stdout.trim()}`)).toBe(1n << 12n);
  });

  test("--privileged has all that the engine has, and no filter", async () => {
    const host = new HostProcess(process.pid).status("CapBnd");
    expect((await run("--privileged", "busybox", ...status("CapEff"))).stdout.trim()).toBe(host);
    expect((await run("--privileged", "busybox", ...status("Seccomp"))).stdout.trim()).toBe("0");
  });

  test("a set-user-id program gains nothing under no-new-privileges", async () => {
    const field = await run("--security-opt", "no-new-privileges", "busybox", ...status("NoNewPrivs"));
    expect(field.stdout.trim()).toBe("1");
  });
});

// The command line of this version has no --sysctl; the API has.
test("W4 without NET_BIND_SERVICE port 80 cannot be bound", async () => {
  const serve = ["busybox", "sh", "-c", "timeout 1 nc -l -p 80; true"];
  const sysctl = ["--sysctl", "net.ipv4.ip_unprivileged_port_start=1024"];
  const refused = await machine.engine.docker([
    "run",
    "--rm",
    ...sysctl,
    "--cap-drop",
    "NET_BIND_SERVICE",
    ...serve,
  ]);
  expect(refused.stderr).toContain("Permission denied");
  const allowed = await machine.engine.docker(["run", "--rm", ...sysctl, ...serve]);
  expect(allowed.stderr).not.toContain("Permission denied");
});
