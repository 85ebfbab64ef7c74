import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { KernelOperation, KernelStep } from "../../../src/kernel/steps.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { missing, setup, start, TestBox } from "./test-box.ts";

const reason = missing();
const clone = (operation: KernelOperation): KernelStep => ({ phase: "clone", reason: "test", ...operation });
const RDONLY = 1;
const NOEXEC = 8;
const everyCapability = (1n << 41n) - 1n;
const ACCEPT = 0x7fff0000;
const ERRNO_EPERM = 0x00050001;

/** Classic BPF: loads the syscall's number, answers EPERM for `number`, else allows. */
function denySyscall(number: number): Uint8Array {
  const instructions = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, number],
    [0x06, 0, 0, ERRNO_EPERM],
    [0x06, 0, 0, ACCEPT],
  ];
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, [code = 0, yes = 0, no = 0, k = 0]] of instructions.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(k, index * 8 + 4);
  }
  return bytes;
}

describe.skipIf(reason !== undefined)(`operations${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let box: TestBox;
  beforeAll(() => {
    box = new TestBox();
  });
  afterAll(() => box[Symbol.asyncDispose]());
  const status = (field: string) => ["grep", `^${field}:`, "/proc/self/status"];
  const lastField = (text: string) => text.trim().split(/\s+/).slice(1).join(" ");

  test("user, groups and the owner of stdio", async () => {
    const { stdout } = await box.run({
      args: ["sh", "-c", "id; busybox stat -L -c %u /proc/self/fd/1"],
      start: [start({ op: "set-user", uid: 1234, gid: 55, additionalGids: [66, 77] })],
    });
    expect(stdout).toBe("uid=1234 gid=55 groups=66,77\n1234\n");
  });

  test("capabilities outlive the change of the user when they are asked for", async () => {
    const kill = 1n << 5n;
    const { stdout } = await box.run({
      args: ["grep", "^Cap", "/proc/self/status"],
      start: [
        start({ op: "set-bounding", mask: kill | 1n }),
        start({ op: "set-user", uid: 1000, gid: 1000, additionalGids: [] }),
        start({ op: "set-capabilities", effective: kill, permitted: kill, inheritable: kill, ambient: kill }),
      ],
    });
    const hex = (value: bigint) => value.toString(16).padStart(16, "0");
    expect(stdout.split("\n").slice(0, 5)).toEqual([
      `CapInh:\t${hex(kill)}`,
      `CapPrm:\t${hex(kill)}`,
      `CapEff:\t${hex(kill)}`,
      `CapBnd:\t${hex(kill | 1n)}`,
      `CapAmb:\t${hex(kill)}`,
    ]);
  });

  test("without a step for them, a plain user has none", async () => {
    const { stdout } = await box.run({
      args: ["grep", "-E", "^Cap(Prm|Eff)", "/proc/self/status"],
      start: [start({ op: "set-user", uid: 1000, gid: 1000, additionalGids: [] })],
    });
    expect(stdout).toBe("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n");
  });

  test("a seccomp filter with no_new_privs", async () => {
    const unlinkat = process.arch === "arm64" ? 35 : 263;
    const mkdir = process.arch === "arm64" ? 34 : 83;
    const { exitCode, stderr, stdout } = await box.run({
      args: ["sh", "-c", "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status; mkdir /tmp/refused"],
      start: [
        start({ op: "set-user", uid: 1000, gid: 1000, additionalGids: [] }),
        start({
          op: "set-capabilities",
          effective: 0n,
          permitted: 0n,
          inheritable: 0n,
          ambient: 0n,
        }),
        start({ op: "no-new-privileges" }),
        start({ op: "load-seccomp", program: denySyscall(unlinkat), flags: 0 }),
        start({ op: "load-seccomp", program: denySyscall(mkdir), flags: 0 }),
      ],
    });
    expect(stdout).toBe("NoNewPrivs:\t1\nSeccomp:\t2\n");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("Operation not permitted");
  });

  test("limits, umask, OOM score, nice value, session", async () => {
    const { stdout } = await box.run({
      args: ["sh", "-c", "ulimit -n; umask; cat /proc/self/oom_score_adj; cut -d' ' -f6,19 /proc/self/stat"],
      env: ["PATH=/bin"],
      setup: [setup({ op: "symlink", path: "/bin/cut", to: "busybox" })],
      start: [
        start({ op: "set-rlimit", resource: 7, name: "RLIMIT_NOFILE", soft: 99n, hard: 100n }),
        start({ op: "set-umask", mask: 0o27 }),
        start({ op: "set-oom-score", score: 500 }),
        start({
          op: "set-scheduler",
          policy: 0,
          flags: 0,
          nice: 5,
          priority: 0,
          runtimeNs: 0n,
          deadlineNs: 0n,
          periodNs: 0n,
        }),
        start({ op: "set-io-priority", class: 2, level: 6 }),
        start({ op: "set-cpu-affinity", mask: new Uint8Array([1]) }),
        start({ op: "set-personality", domain: 0 }),
        start({ op: "new-keyring", name: "_ses.test", required: false }),
      ],
    });
    expect(stdout).toBe("99\n0027\n500\n1 5\n");
  });

  test("a limit that may not be raised names itself", async () => {
    const raise = start({
      op: "set-rlimit",
      resource: 7,
      name: "RLIMIT_NOFILE",
      soft: 1n << 40n,
      hard: 1n << 40n,
    });
    const shim = await box.launch(box.request(box.plan({ args: ["true"], start: [raise] })));
    await expect(shim.init.start()).rejects.toThrow(
      "set RLIMIT_NOFILE to 1099511627776:1099511627776: operation not permitted (test)",
    );
  });

  test("the umask is 022 unless a step says otherwise", async () => {
    expect((await box.run({ args: ["sh", "-c", "umask"] })).stdout).toBe("0022\n");
  });

  test("names, loopback and a working directory that is made", async () => {
    const { stdout } = await box.run({
      args: [
        "sh",
        "-c",
        "hostname; cat /proc/sys/kernel/domainname; busybox ifconfig lo | grep -c UP; pwd; busybox stat -c '%a %u %g' .",
      ],
      setup: [
        setup({ op: "set-hostname", name: "box" }),
        setup({ op: "set-domainname", name: "example.test" }),
        setup({ op: "bring-up-loopback" }),
      ],
      start: [
        start({ op: "make-directory", path: "/tmp/new/dir", mode: 0o750, uid: 7, gid: 8 }),
        start({ op: "change-directory", path: "/tmp/new/dir" }),
      ],
    });
    expect(stdout).toBe("box\nexample.test\n1\n/tmp/new/dir\n750 7 8\n");
  });

  test("bind mounts: read-only at once, recursive attributes, files, devices", async () => {
    const source = join(box.directory, "source");
    mkdirSync(source);
    writeFileSync(join(source, "file"), "text\n");
    const bind = (target: string, kind: "file" | "directory", from: string, set: number) =>
      setup({
        op: "bind",
        source: from,
        target,
        targetKind: kind,
        recursive: true,
        attributes: { set, clear: 0 },
        attributesRecursive: true,
        propagation: 1 << 18,
      });
    const { stdout, stderr } = await box.run({
      args: [
        "sh",
        "-c",
        "cat /data/file /one; echo x > /data/new; grep -E ' /(data|one|dev/full) ' /proc/self/mounts | cut -d' ' -f2,4",
      ],
      setup: [
        bind("/data", "directory", source, RDONLY | NOEXEC),
        bind("/one", "file", join(source, "file"), 0),
        setup({ op: "bind-device", source: "/dev/full", path: "/dev/full", kind: "c", major: 1, minor: 7 }),
        setup({ op: "remount", target: "/one", attributes: { set: RDONLY, clear: 0 }, recursive: false }),
        setup({ op: "make-root-readonly" }),
      ],
    });
    expect(stdout).toStartWith("text\ntext\n/data ro,noexec");
    expect(stdout).toContain("/one ro,");
    expect(stderr).toContain("Read-only file system");
  });

  test("a device that is another one on the host is refused", async () => {
    const step = setup({
      op: "bind-device",
      source: "/dev/zero",
      path: "/dev/x",
      kind: "c",
      major: 1,
      minor: 3,
    });
    await expect(box.launch(box.request(box.plan({ args: ["true"], setup: [step] })))).rejects.toThrow(
      "another device is at /dev/zero",
    );
  });

  test("a tmpfs that takes over what the image has there", async () => {
    const image = join(box.root, "var/lib");
    mkdirSync(join(image, "deep"), { recursive: true });
    writeFileSync(join(image, "deep/file"), "copied\n", { mode: 0o640 });
    chownSync(join(image, "deep/file"), 5, 6);
    const mount = {
      op: "mount",
      fstype: "tmpfs",
      source: "tmpfs",
      target: "/var/lib",
      attributes: 0,
    } as const;
    const { stdout } = await box.run({
      args: [
        "sh",
        "-c",
        "cat /var/lib/deep/file; busybox stat -c '%a %u %g' /var/lib/deep/file; echo new > /var/lib/new",
      ],
      setup: [setup({ ...mount, data: ["size=1m"], copyUp: true })],
    });
    expect(stdout).toBe("copied\n640 5 6\n");
    expect(() => statSync(join(image, "new"))).toThrow();
  });

  test("a root that is moved instead of pivoted", async () => {
    const plan = box.plan({ args: ["ls", "/"] });
    const steps = plan.steps.map((step) =>
      step.op === "pivot-root" ? setup({ op: "pivot-root", method: "move" }) : step,
    );
    const shim = await box.launch(box.request({ steps }));
    const output = await shim.init.attach({ stdin: false, stdout: true, stderr: true, framed: false });
    await shim.init.start();
    let text = "";
    for await (const chunk of output) text += chunk;
    expect(text).toMatch(/^bin\n(.*\n)*proc\nsys\ntmp\n/);
  });

  describe("user namespaces", () => {
    const mapped = (options: { args: string[]; clone?: KernelStep[]; start?: KernelStep[] }) =>
      box.plan({
        namespaces: ["user", "mount", "pid", "network", "ipc", "uts"],
        ...options,
        clone: [
          clone({ op: "write-id-map", kind: "uid", map: "0 100000 65536\n" }),
          clone({ op: "write-id-map", kind: "gid", map: "0 200000 65536\n" }),
          ...(options.clone ?? []),
        ],
      });
    /** Devices cannot be made there. */
    const withoutNodes = (steps: readonly KernelStep[]) =>
      steps.map((step) =>
        step.op === "make-device"
          ? setup({
              op: "bind-device",
              source: step.path,
              path: step.path,
              kind: "c",
              major: 1,
              minor: step.minor,
            })
          : step,
      );

    test("root inside is a plain user outside, and its files belong to somebody", async () => {
      await Bun.$`chown -R 100000:200000 ${box.root}`.quiet();
      const plan = mapped({
        args: [
          "sh",
          "-c",
          "id -u; cat /proc/self/uid_map; cat /proc/self/oom_score_adj; touch /tmp/mine; sleep 1000",
        ],
        start: [start({ op: "set-oom-score", score: 300 })],
      });
      const request = box.request({ steps: withoutNodes(plan.steps) });
      const shim = await box.launch(request);
      const { pid } = shim.init;
      // Not dumpable while it is prepared: else the files of its /proc would be the container's user's.
      expect(lstatSync(`/proc/${pid}/environ`).uid).toBe(0);
      const output = await shim.init.attach({ stdin: false, stdout: true, stderr: true, framed: false });
      await shim.init.start();
      let text = "";
      for await (const chunk of output) {
        text += chunk;
        if (text.split("\n").length > 3) break;
      }
      expect(text.replace(/ +/g, " ")).toStartWith("0\n 0 100000 65536\n300\n");
      expect(readFileSync(`/proc/${pid}/status`, "utf8")).toContain("Uid:\t100000\t100000");
      await shim.init.signal(9);
      await shim.init.exited;
      await Bun.$`chown -R 0:0 ${box.root}`.quiet();
    });

    test("an impossible map is named", async () => {
      const plan = mapped({
        args: ["true"],
        clone: [clone({ op: "write-id-map", kind: "uid", map: "0 1 1\n" })],
      });
      await expect(box.launch(box.request({ steps: plan.steps }))).rejects.toThrow(
        'write the uid map "0 1 1": operation not permitted',
      );
    });
  });

  test("time offsets", async () => {
    const { stdout } = await box.run({
      args: ["sh", "-c", "cut -d. -f1 /proc/uptime"],
      namespaces: ["mount", "pid", "time"],
      clone: [clone({ op: "write-time-offset", clock: "boottime", secs: 10_000_000, nanosecs: 0 })],
    });
    expect(Number(stdout)).toBeGreaterThan(10_000_000);
  });

  test("joined namespaces, by path", async () => {
    const other = Bun.spawn(["unshare", "--net", "--ipc", "sleep", "1000"]);
    try {
      while (readlinkSync(`/proc/${other.pid}/ns/net`) === readlinkSync("/proc/self/ns/net"))
        await Bun.sleep(5);
      const { stdout } = await box.run({
        args: ["sh", "-c", "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc"],
        namespaces: ["mount", "pid", "uts"],
      });
      expect(stdout).toBe(`${readlinkSync("/proc/self/ns/net")}\n${readlinkSync("/proc/self/ns/ipc")}\n`);
      const plan = box.plan({
        args: ["sh", "-c", "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc"],
        namespaces: ["mount", "pid", "uts"],
      });
      const joins = [
        clone({ op: "join-namespace", namespace: "network", path: `/proc/${other.pid}/ns/net` }),
        clone({ op: "join-namespace", namespace: "ipc", path: `/proc/${other.pid}/ns/ipc` }),
      ];
      const shim = await box.launch(box.request({ steps: [...joins, ...plan.steps] }));
      const output = await shim.init.attach({ stdin: false, stdout: true, stderr: true, framed: false });
      await shim.init.start();
      let text = "";
      for await (const chunk of output) text += chunk;
      expect(text).toBe(
        `${readlinkSync(`/proc/${other.pid}/ns/net`)}\n${readlinkSync(`/proc/${other.pid}/ns/ipc`)}\n`,
      );
    } finally {
      other.kill(9);
      await other.exited;
    }
  });

  test("a namespace of the wrong kind is refused", async () => {
    const plan = box.plan({ args: ["true"], namespaces: ["mount", "pid"] });
    const join = clone({ op: "join-namespace", namespace: "network", path: "/proc/self/ns/uts" });
    await expect(box.launch(box.request({ steps: [join, ...plan.steps] }))).rejects.toThrow(
      "join the network namespace /proc/self/ns/uts: setns: invalid argument",
    );
  });

  describe("hooks", () => {
    const hook = (where: "runtime" | "container", script: string, timeoutMs = 0): KernelOperation => ({
      op: "hook",
      kind: where === "runtime" ? "createRuntime" : "createContainer",
      path: "/bin/sh",
      args: ["sh", "-c", script],
      env: ["PATH=/usr/bin:/bin", "COLOUR=blue"],
      timeoutMs,
      where,
      state: '{"ociVersion":"1.3.0","id":"x","status":"creating","pid":0}',
    });

    test("get the state with the pid, in the host's or the container's namespaces", async () => {
      const out = join(box.directory, "hook");
      const plan = box.plan({
        args: ["true"],
        setup: [
          setup(
            hook("runtime", `cat > ${out}; echo $COLOUR >> ${out}; readlink /proc/self/ns/uts >> ${out}`),
          ),
          setup(hook("container", `cat > ${out}2; readlink /proc/self/ns/uts >> ${out}2`)),
        ],
      });
      const shim = await box.launch(box.request(plan));
      const { pid } = shim.init;
      const state = `{"ociVersion":"1.3.0","id":"x","status":"creating","pid":${pid}}`;
      expect(readFileSync(out, "utf8")).toBe(`${state}blue\n${readlinkSync("/proc/self/ns/uts")}\n`);
      expect(readFileSync(`${out}2`, "utf8")).toBe(`${state}${readlinkSync(`/proc/${pid}/ns/uts`)}\n`);
      await shim.init.start();
      await shim.init.exited;
    });

    test.each([
      ["runtime", "echo no luck >&2; exit 3", "/bin/sh ended with exit status 3: no luck"],
      ["container", "kill -9 $$", "/bin/sh was killed by signal 9"],
    ] as const)("a failing %s hook fails the container", async (where, script, text) => {
      const request = box.request(box.plan({ args: ["true"], setup: [setup(hook(where, script))] }));
      await expect(box.launch(request)).rejects.toThrow(text);
    });

    test("a hook that takes too long is killed, with what it started", async () => {
      const file = join(box.directory, "hook-pid");
      const slow = setup(hook("runtime", `sleep 1000 & echo $! > ${file}; wait`, 300));
      await expect(box.launch(box.request(box.plan({ args: ["true"], setup: [slow] })))).rejects.toThrow(
        "did not end in time",
      );
      const pid = readFileSync(file, "utf8").trim();
      await waitFor("its end", () => !isAlive(Number(pid)));
    });
  });

  test("every capability is an accepted mask", async () => {
    const { stdout } = await box.run({
      args: status("CapBnd"),
      start: [start({ op: "set-bounding", mask: everyCapability })],
    });
    const own = /CapBnd:\s+(\w+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    expect(lastField(stdout)).toBe(own ?? "");
  });
});

/** A zombie is not: it has no program any more. */
function isAlive(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== "";
  } catch {
    return false;
  }
}
