import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TarEntry } from "../../../scripts/image-archive.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { loadHostile } from "./hostile-image.ts";

// There is no `cp` yet, which is where CVE-2018-15664 was found: this is the same attack on every other path.
const machine = useMachine("rule-4", []);
const outside = `/tmp/gantry-test-outside-${process.pid}`;
const up = `${"../".repeat(20)}${outside.slice(1)}`;
const link = (name: string, linkName: string): TarEntry => ({ name, type: "symlink", linkName });

/** Runs `use` with a directory of the host that must stay as it is. */
async function untouched(use: () => Promise<void>): Promise<void> {
  mkdirSync(outside);
  try {
    await Bun.write(join(outside, "there"), "untouched");
    await use();
    expect(readdirSync(outside)).toEqual(["there"]);
    expect(await Bun.file(join(outside, "there")).text()).toBe("untouched");
  } finally {
    rmSync(outside, { recursive: true, force: true });
  }
}

const run = (...args: string[]) => machine.engine.gantry(["run", "--rm", ...args]);

describe.each([
  ["absolute", outside],
  ["upwards", up],
])("CVE-2018-15664: a link, %s", (_kind, to) => {
  test("at /dev: a container that cannot be masked is refused, and nothing is made outside", () =>
    untouched(async () => {
      await loadHostile(machine.engine, "dev-link", [link("dev", to)], { without: ["dev/"] });
      const { exitCode, stdout, stderr } = await run("dev-link", "echo", "RAN");
      expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: "" });
      expect(stderr).toContain("/dev/null: too many levels of symbolic links");
    }));

  test("at /dev, with nothing to mask: devices are made inside", () =>
    untouched(async () => {
      await loadHostile(machine.engine, "dev-link", [link("dev", to)], { without: ["dev/"] });
      const { stdout } = await run(
        ...["--privileged", "dev-link", "sh", "-c", `[ -c ${outside}/null ] && echo inside`],
      );
      expect(stdout).toBe("inside\n");
    }));

  test("as the target of a volume: it is mounted inside", () =>
    untouched(async () => {
      await loadHostile(machine.engine, "volume-link", [link("data", to)]);
      const { stdout } = await run(
        "-v",
        "/etc/hostname:/data/sub/file:ro",
        "volume-link",
        "cat",
        `${outside}/sub/file`,
      );
      expect(stdout).toBe(await Bun.file("/etc/hostname").text());
    }));

  test("as the target of a tmpfs: it is mounted inside", () =>
    untouched(async () => {
      await loadHostile(machine.engine, "tmpfs-link", [link("scratch", to)]);
      const script = `echo x > /scratch/file; cat ${outside}/file; stat -f -c %T ${outside}`;
      expect((await run("--tmpfs", "/scratch", "tmpfs-link", "sh", "-c", script)).stdout).toBe("x\ntmpfs\n");
    }));

  test("as working directory: it is made inside", () =>
    untouched(async () => {
      await loadHostile(machine.engine, "workdir-link", [link("linked", to)], {
        config: { WorkingDir: "/linked/made" },
      });
      expect((await run("workdir-link", "pwd")).stdout).toBe(`${outside}/made\n`);
    }));

  test("at /etc and its files: names, hosts and resolv.conf are put inside", () =>
    untouched(async () => {
      await loadHostile(machine.engine, "etc-link", [
        link("etc/hosts", `${to}/there`),
        link("etc/hostname", `${to}/there`),
        link("etc/resolv.conf", `${to}/there`),
      ]);
      expect((await run("--hostname", "inside", "etc-link", "hostname")).stdout).toBe("inside\n");
    }));

  test("at /etc/passwd: users are those of the container", () =>
    untouched(async () => {
      await Bun.write(join(outside, "there"), "untouched");
      await loadHostile(machine.engine, "passwd-link", [link("etc/passwd", `${to}/there`)], {
        without: ["etc/passwd"],
      });
      const { exitCode, stderr } = await run("-u", "untouched", "passwd-link", "true");
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain("no matching entries in passwd file");
    }));

  test.each([
    ["file", [{ name: "out/file", content: "x" }]],
    ["directory", [{ name: "out/directory/", type: "directory" }]],
    ["device", [{ name: "out/device", type: "character", major: 1, minor: 3 }]],
    ["whiteout", [{ name: "out/.wh.there", content: "" }]],
    ["opaque whiteout", [{ name: "out/.wh..wh..opq", content: "" }]],
    ["hard link to what is outside", [{ name: "file", type: "hardlink", linkName: "out/there" }]],
  ] satisfies [string, TarEntry[]][])("in a layer, with a %s below it", (_what, entries) =>
    untouched(async () => {
      await loadHostile(machine.engine, "layer-link", [link("out", to), ...entries]).catch(() => {});
      const { stdout } = await run("layer-link", "sh", "-c", "cat /file /out/there");
      expect(stdout).toBe("");
    }),
  );

  test("in a layer below, with a file of the next layer behind it", () =>
    untouched(async () => {
      await loadHostile(machine.engine, "two-layers", [link("home", to)], { without: ["home/"] });
      await loadHostile(machine.engine, "two-layers-2", [{ name: "home/file", content: "x" }]);
      expect((await run("two-layers-2", "cat", "/home/file")).stdout).toBe("x");
    }));
});

test("CVE-2018-15664: `..` in the target of a mount stays inside", () =>
  untouched(async () => {
    await loadHostile(machine.engine, "dots", []);
    const { stdout } = await run(
      "--tmpfs",
      `/tmp/../../..${outside}`,
      "dots",
      "stat",
      "-f",
      "-c",
      "%T",
      outside,
    );
    expect(stdout).toBe("tmpfs\n");
  }));
