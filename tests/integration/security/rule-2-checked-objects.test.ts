import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TarEntry } from "../../../scripts/image-archive.ts";
import { TestRuntime } from "../../fixtures/bundle.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { Terminal } from "../../fixtures/terminal.ts";
import { loadHostile } from "./hostile-image.ts";

const machine = useMachine("rule-2", []);
const link = (name: string, linkName: string): TarEntry => ({ name, type: "symlink", linkName });

/** Says for each path whether anything of the host's can be read through it. */
const readMasked =
  "for f in /proc/interrupts /proc/keys /proc/timer_list; do [ -e $f ] && head -c 1 $f; done; ls -A /sys/firmware";
const isNullDevice = "stat -c '%F %t:%T' /dev/null /proc/interrupts";

describe("CVE-2025-31133", () => {
  test("an image whose /dev/null is a link masks with the true one", async () => {
    await loadHostile(machine.engine, "null-link", [
      link("dev/null", "/proc/sys/kernel/core_pattern"),
      link("dev/full", "/proc/sysrq-trigger"),
    ]);
    const run = await machine.engine.gantry([
      ...["run", "--rm", "null-link", "sh", "-c", `${isNullDevice}; ${readMasked}`],
    ]);
    expect(run.stdout).toBe("character special file 1:3\ncharacter special file 1:3\n");
  });

  test("a bundle without a mount on /dev, and links for its devices, makes nothing writable", async () => {
    await using runtime = await TestRuntime.open();
    symlinkSync("/proc/sys/kernel/core_pattern", join(runtime.rootfs, "dev/null"));
    const bundle = runtime.bundle(
      ["sh", "-c", "cat /proc/interrupts | head -c 1; echo x > /proc/sys/kernel/core_pattern"],
      (spec) => {
        spec.mounts = (spec.mounts as { destination: string }[]).filter(
          ({ destination }) => !destination.startsWith("/dev"),
        );
      },
    );
    const before = await Bun.file("/proc/sys/kernel/core_pattern").text();
    const run = await runtime.run(["run", "--bundle", bundle, "null"]);
    expect(run.exitCode).not.toBe(0);
    expect(run.stderr).toContain("/dev/null");
    expect(await Bun.file("/proc/sys/kernel/core_pattern").text()).toBe(before);
  });
});

describe("CVE-2025-52565", () => {
  test("an image whose /dev/console, /dev/pts and /dev/ptmx are links gets a console of its own", async () => {
    await loadHostile(machine.engine, "console-link", [
      link("dev/console", "/proc/sys/kernel/core_pattern"),
      link("dev/pts", "/proc/sys"),
      link("dev/ptmx", "/proc/sysrq-trigger"),
    ]);
    await using terminal = new Terminal(
      [
        gantryPath,
        "run",
        "--rm",
        "-it",
        "console-link",
        "sh",
        "-c",
        "tty; stat -c '%F %t' /dev/console; echo x > /proc/sys/kernel/core_pattern; echo end",
      ],
      { env: { GANTRY_HOST: machine.engine.host } },
    );
    expect(await terminal.exitCode()).toBe(0);
    expect(terminal.screen).toMatch(
      /\/dev\/pts\/0\s+character special file 88\s+.*Read-only file system\s+end/,
    );
  });

  test("/dev/console as a link to a file of /proc leaves that file what it is", async () => {
    await using runtime = await TestRuntime.open();
    const outside = join(runtime.directory, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "file"), "untouched");
    symlinkSync(join(outside, "file"), join(runtime.rootfs, "dev/console"));
    const bundle = runtime.bundle(
      ["sh", "-c", "echo through > /dev/console; echo x > /proc/sys/kernel/core_pattern; echo end"],
      (spec) => {
        spec.process.terminal = true;
        spec.mounts = (spec.mounts as { destination: string }[]).filter(
          ({ destination }) => destination !== "/dev",
        );
      },
    );
    const argv = [gantryPath, "runtime", "--root", runtime.root, "run", "--bundle", bundle, "console"];
    await using terminal = new Terminal(argv);
    await terminal.exitCode();
    expect(terminal.screen).not.toBe("");
    expect(await Bun.file(join(outside, "file")).text()).toBe("untouched");
    expect(existsSync(join(outside, "made"))).toBe(false);
    unlinkSync(join(runtime.rootfs, "dev/console"));
    rmSync(outside, { recursive: true });
  });
});
