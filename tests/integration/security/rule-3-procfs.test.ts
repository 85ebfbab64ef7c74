import { describe, expect, test } from "bun:test";
import type { TarEntry } from "../../../scripts/image-archive.ts";
import { TestRuntime } from "../../fixtures/bundle.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { loadHostile } from "./hostile-image.ts";

const machine = useMachine("rule-3", ["busybox"]);
const sysctl = ["--sysctl", "net.ipv4.ip_unprivileged_port_start=77"];
const readSysctl = ["cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"];
const link = (name: string, linkName: string): TarEntry => ({ name, type: "symlink", linkName });

describe("CVE-2019-19921", () => {
  test.each(["/tmp", "/sys", "../../../../tmp"])(
    "an image whose /proc is a link to %s is refused",
    async (to) => {
      await loadHostile(machine.engine, "proc-link", [link("proc", to)], { without: ["proc/"] });
      const run = await machine.engine.gantry(["run", "--rm", "proc-link", "true"]);
      expect(run.exitCode).not.toBe(0);
      expect(run.stderr).toContain("mount proc on /proc: not an ordinary directory");
    },
  );

  test("a volume of the host in place of /proc is refused", async () => {
    const run = await machine.engine.gantry(["run", "--rm", "-v", "/tmp:/proc", "busybox", "true"]);
    expect(run.exitCode).not.toBe(0);
    expect(run.stderr).toContain("mount /proc: only procfs can be mounted there");
  });
});

describe("CVE-2025-52881", () => {
  test("a false /proc that the image brings gets nothing of what is written", async () => {
    await loadHostile(machine.engine, "false-proc", [
      { name: "proc/sys/net/ipv4/", type: "directory" },
      link("proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sysrq-trigger"),
      link("proc/self", "/proc/1"),
      { name: "proc/1/attr/", type: "directory" },
      link("proc/1/attr/exec", "/proc/sys/kernel/core_pattern"),
    ]);
    const run = await machine.engine.gantry(["run", "--rm", ...sysctl, "false-proc", ...readSysctl]);
    expect(run.stdout).toBe("77\n");
  });

  test.each(["/proc/sys", "/proc/self/attr", "/proc/sys/kernel/core_pattern", "/proc/thread-self/attr/exec"])(
    "a volume over %s is refused",
    async (target) => {
      const run = await machine.engine.gantry([
        "run",
        "--rm",
        ...sysctl,
        "-v",
        `/tmp:${target}`,
        "busybox",
        "true",
      ]);
      expect(run.exitCode).not.toBe(0);
      expect(run.stderr).toContain(`mount ${target}: nothing can be mounted inside /proc`);
    },
  );

  test("a volume on a link of the image that leads there is refused as well", async () => {
    await loadHostile(machine.engine, "link-to-proc", [link("zdata", "/proc/sys/kernel")]);
    const run = await machine.engine.gantry(["run", "--rm", "-v", "/tmp:/zdata", "link-to-proc", "true"]);
    expect(run.exitCode).not.toBe(0);
    expect(run.stderr).toContain("leads into procfs: /zdata");
  });

  test("a tmpfs over /proc/sys likewise, in a bundle", async () => {
    await using runtime = await TestRuntime.open();
    const bundle = runtime.bundle(["true"], (spec) => {
      (spec.mounts as unknown[]).push({ destination: "/proc/../proc/sys", type: "tmpfs", source: "tmpfs" });
    });
    const run = await runtime.run(["run", "--bundle", bundle, "covered"]);
    expect(run.exitCode).not.toBe(0);
    expect(run.stderr).toContain("nothing can be mounted inside /proc");
  });

  test("a bundle without a mount on /proc has its sysctls written all the same, to the kernel", async () => {
    await using runtime = await TestRuntime.open();
    const bundle = runtime.bundle(["sh", "-c", "mkdir /tmp/p; ls -A /proc"], (spec) => {
      spec.mounts = (spec.mounts as { destination: string }[]).filter(
        ({ destination }) => destination !== "/proc",
      );
      spec.linux.sysctl = { "net.ipv4.ip_unprivileged_port_start": "77" };
    });
    const run = await runtime.run(["run", "--bundle", bundle, "no-proc"]);
    expect({ ...run, stderr: "" }).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("only lxcfs's files can be replaced", async () => {
    const run = await machine.engine.gantry([
      ...["run", "--rm", "-v", "/etc/hostname:/proc/uptime:ro", "busybox", "cat", "/proc/uptime"],
    ]);
    expect(run.stdout).toBe(await Bun.file("/etc/hostname").text());
  });
});
