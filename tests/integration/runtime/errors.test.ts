import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { command, mustRun } from "../../fixtures/command.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const reason = runtimeMissing();
/** Other runtimes, which have to fail where ours does. */
const others = ["runc", "crun"].flatMap((name) => {
  const path = Bun.which(name, { PATH: `${process.env.PATH}:/usr/sbin` });
  return path === null ? [] : [path];
});

/** The first bytes of an ELF executable for another machine, or with a dynamic linker that is not there. */
function elf(machine: number, interpreter?: string): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, 64n, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  if (interpreter === undefined) return bytes;
  view.setUint16(56, 1, true);
  view.setUint32(64, 3, true); // PT_INTERP
  view.setBigUint64(72, 1024n, true);
  view.setBigUint64(96, BigInt(interpreter.length + 1), true);
  bytes.set(Buffer.from(`${interpreter}\0`), 1024);
  return bytes;
}

const own = process.arch === "arm64" ? 183 : 62;
const other = process.arch === "arm64" ? 62 : 183;

/** What is wrong with a bundle, what gantry says of it, and the way out that it names. */
const bad: readonly [string, (spec: TestSpec) => void, string, string?][] = [
  [
    "a script without its interpreter",
    program("no-interpreter"),
    "/bad/no-interpreter needs the interpreter /bin/python9",
    "hint: install python9",
  ],
  [
    "a script from Windows",
    program("crlf"),
    "ends its first line with CR LF",
    "hint: convert crlf to Unix line ends",
  ],
  [
    "a program for another machine",
    program("other"),
    "/bad/other is built for",
    "hint: pull the image for linux/",
  ],
  [
    "a program without its dynamic linker",
    program("no-linker"),
    "needs the interpreter /lib/ld-musl-none.so.1",
    "hint: the program is linked for another C library",
  ],
  [
    "a text without an interpreter",
    program("text"),
    "exec format error",
    "first line has to be like #!/bin/sh",
  ],
  [
    "a directory on a file",
    mount("/etc/passwd"),
    "move_mount /etc/passwd: not a directory",
    "hint: a directory can only be mounted on a directory",
  ],
  [
    "a source that is not there",
    mount("/target", "/nowhere"),
    "bind /nowhere on /target: no such file or directory",
  ],
  [
    "a working directory that is a file",
    (spec) => {
      spec.process.cwd = "/etc/passwd";
    },
    "/etc/passwd: not a directory",
  ],
  [
    "an unknown limit",
    (spec) => {
      spec.process.rlimits = [{ type: "RLIMIT_X", soft: 1, hard: 1 }];
    },
    "RLIMIT_X is unknown",
  ],
  [
    "swap below the memory that it has in it",
    resources({ memory: { limit: 64 << 20, swap: 32 << 20 } }),
    "linux.resources.memory.swap: 33554432 is smaller than the memory limit",
  ],
  [
    "processors that are not there",
    resources({ cpu: { cpus: "4000" } }),
    "the kernel refuses config.json linux.resources.cpu.cpus",
  ],
  [
    "a sysctl of the host's",
    (spec) => {
      spec.linux.sysctl = { "vm.swappiness": "1" };
    },
    "sysctl vm.swappiness: is not separate in a container",
  ],
  [
    "a namespace that is not there",
    (spec) => {
      const [first] = spec.linux.namespaces;
      if (first) first.path = "/nowhere";
    },
    "/nowhere: no such file or directory",
  ],
  [
    "a seccomp action that is none",
    (spec) => {
      spec.linux.seccomp = { defaultAction: "SCMP_ACT_MAYBE" };
    },
    "SCMP_ACT_MAYBE",
  ],
  [
    "a filter that denies the program's own start",
    (spec) => {
      const deny = { names: ["execve"], action: "SCMP_ACT_ERRNO", errnoRet: 1 };
      spec.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [deny] };
    },
    'exec: "true": operation not permitted',
    "hint: the seccomp filter has to allow execve (config.json linux.seccomp",
  ],
  [
    "a limit that may not be raised",
    (spec) => {
      spec.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 1024, hard: 0x7fff_ffff }];
    },
    "RLIMIT_NOFILE",
    "hint: ",
  ],
  [
    "a working directory that is not absolute",
    (spec) => {
      spec.process.cwd = "tmp";
    },
    "process.cwd",
  ],
];

function program(name: string) {
  return (spec: TestSpec) => {
    spec.process.args = [`/bad/${name}`];
  };
}

function mount(destination: string, source = "/tmp") {
  return (spec: TestSpec) => {
    (spec.mounts as object[]).push({ destination, source, type: "none", options: ["bind"] });
  };
}

function resources(value: Record<string, unknown>) {
  return (spec: TestSpec) => {
    spec.linux.resources = value;
  };
}

describe.skipIf(reason !== undefined)(`what is wrong with a bundle${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
    const files: Record<string, string | Uint8Array> = {
      "no-interpreter": "#!/bin/python9\n",
      crlf: "#!/bin/sh\r\necho\r\n",
      text: "echo\n",
      other: elf(other),
      "no-linker": elf(own, "/lib/ld-musl-none.so.1"),
    };
    mkdirSync(join(runtime.rootfs, "bad"));
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(runtime.rootfs, "bad", name), content, { mode: 0o755 });
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  test.each(bad.map(([name, change, says, hint = ""]) => [name, change, says, hint] as const))(
    "%s: named, with the way out, and nothing is left; runc and crun fail likewise",
    async (_, change, says, hint) => {
      const bundle = runtime.bundle(["true"], change);
      const log = join(bundle, "log.json");
      const words = ["--log", log, "--log-format", "json", "run", "--bundle", bundle, "bad"];
      const result = await runtime.run(words);
      expect(result.stderr).toContain(says);
      expect(result.stderr).toContain(hint);
      expect(runtime.leftovers()).toEqual([]);
      expect(result.exitCode).toBe(1);
      const own = lastError(log);
      expect(own.msg).toContain("gantry-runtime run failed: ");
      for (const path of others) {
        rmSync(log);
        const theirs = await command([path, "--root", join(runtime.directory, "other"), ...words], {
          cwd: runtime.directory,
        });
        expect({ path, exitCode: theirs.exitCode }).toEqual({ path, exitCode: result.exitCode });
        expect(theirs.stderr).not.toBe("");
        // Where their program fails to start after they have let it go, they write no line.
        if (statSync(log).size > 0)
          expect(Object.keys(lastError(log)).sort()).toEqual(Object.keys(own).sort());
      }
    },
  );

  /** What callers of a runtime show: its last line of the level error. */
  function lastError(log: string): Record<string, string> {
    const lines = readFileSync(log, "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line)).findLast(({ level }) => level === "error");
  }

  test("a cgroup that somebody else uses: named, with the way out; the other container is untouched", async () => {
    const used = runtime.bundle(["sleep", "1000"]);
    const { cgroupsPath } = JSON.parse(readFileSync(join(used, "config.json"), "utf8")).linux;
    await runtime.must("run", "--detach", "--bundle", used, "first");
    const same = runtime.bundle(["true"], (spec) => {
      spec.linux.cgroupsPath = cgroupsPath;
    });
    const result = await runtime.run(["run", "--bundle", same, "second"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("is in use by another container or process");
    expect(result.stderr).toContain("hint: give this container a linux.cgroupsPath of its own");
    expect((await runtime.state("first")).status).toBe("running");
    await runtime.must("delete", "--force", "first");
    expect(runtime.leftovers()).toEqual([]);
  });

  test("a disk that fills at any step of create: named, and nothing is left", async () => {
    const small = join(runtime.directory, "small");
    mkdirSync(small);
    await mustRun(["mount", "-t", "tmpfs", "-o", "size=128k", "gantry-test", small]);
    try {
      const root = join(small, "state");
      const bundle = runtime.bundle(["true"]);
      const before = runtime.leftovers();
      let failures = 0;
      for (const roomBytes of [0, 4096, 8192, 12288, 16384, 20480, 24576, 65536]) {
        const { bavail, bsize } = statfsSync(small);
        writeFileSync(join(small, "filler"), Buffer.alloc(bavail * bsize - roomBytes));
        const result = await runtime.run(["--root", root, "create", "--bundle", bundle, "full"]);
        rmSync(join(small, "filler"));
        if (result.exitCode === 0) await runtime.must("--root", root, "delete", "--force", "full");
        else {
          failures++;
          expect(result.stderr).toMatch(/(make|write) \/\S+: no space left on device/);
        }
        expect(existsSync(root) ? readdirSync(root) : []).toEqual([]);
        expect(runtime.leftovers()).toEqual(before);
      }
      expect(failures).toBeGreaterThan(2);
      expect(failures).toBeLessThan(8);
    } finally {
      await mustRun(["umount", "--lazy", small]);
    }
  });

  test("a memory limit that is too low to begin with: told as such", async () => {
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.linux.resources = { memory: { limit: 4096 } };
    });
    const result = await runtime.run(["run", "--bundle", bundle, "small"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("container init was OOM-killed (memory limit too low?)");
    expect(runtime.leftovers()).toEqual([]);
  });

  test("a filter that refuses even the end of a process: it ends all the same, and nothing is left", async () => {
    const bundle = runtime.bundle(["true"], (spec) => {
      spec.linux.seccomp = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [] };
    });
    const result = await runtime.run(["run", "--bundle", bundle, "filtered"]);
    expect(result.exitCode).toBe(132); // its last resort is a trap: it may not even say why
    expect(runtime.leftovers()).toEqual([]);

    await runtime.must("create", "--bundle", bundle, "filtered");
    await runtime.run(["start", "filtered"]);
    await waitFor("its end", async () => (await runtime.state("filtered")).status === "stopped");
    await runtime.must("delete", "filtered");
    expect(runtime.leftovers()).toEqual([]);
  });

  test("an entry of PATH that is empty or relative finds nothing, as with runc", async () => {
    writeFileSync(join(runtime.rootfs, "stray"), "#!/bin/sh\n", { mode: 0o755 });
    for (const path of ["", ":/bin", "/bin:", "/bin::/sbin", ".:/bin"]) {
      const bundle = runtime.bundle(["stray"], (spec) => {
        spec.process.env = [`PATH=${path}`];
      });
      const result = await runtime.run(["run", "--bundle", bundle, "stray"]);
      expect(result).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('exec: \\"stray\\": executable file not found in $PATH'),
      });
    }
  });

  test("the cause is found by create and start, and by exec, too", async () => {
    const bundle = runtime.bundle(["/bad/crlf"]);
    const created = await runtime.run(["create", "--bundle", bundle, "late"]);
    expect(created.exitCode).toBe(0);
    expect((await runtime.run(["start", "late"])).stderr).toContain("ends its first line with CR LF");
    await runtime.must("delete", "--force", "late");

    await runtime.must("run", "--detach", "--bundle", runtime.bundle(["sleep", "1000"]), "late");
    const executed = await runtime.run(["exec", "late", "/bad/no-interpreter"]);
    expect(executed).toMatchObject({
      exitCode: 255,
      stderr: expect.stringContaining("needs the interpreter /bin/python9"),
    });
    await runtime.must("delete", "--force", "late");
  });
});
