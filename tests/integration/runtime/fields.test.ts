import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { mustRun } from "../../fixtures/command.ts";

const reason = runtimeMissing();

/** Fields of config.json which no command line asks for: what a process inside sees of them. */
describe.skipIf(reason !== undefined)(`fields of config.json${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
    chmodSync(runtime.directory, 0o755); // for roots of user namespaces
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  /** Runs a shell script in a container of its own; out: its output. */
  async function inside(script: string, change: (spec: TestSpec) => void): Promise<string> {
    const bundle = runtime.bundle(["sh", "-c", script], change);
    const result = await runtime.run(["run", "--bundle", bundle, "field"]);
    if (result.exitCode !== 0) throw new Error(`exit code ${result.exitCode}: ${result.stderr}`);
    return result.stdout;
  }

  const fails = async (change: (spec: TestSpec) => void) => {
    const result = await runtime.run(["run", "--bundle", runtime.bundle(["true"], change), "field"]);
    expect(result.exitCode).toBe(1);
    expect(runtime.leftovers()).toEqual([]);
    return result.stderr;
  };

  const addMount = (spec: TestSpec, mount: Record<string, unknown>) => (spec.mounts as unknown[]).push(mount);

  describe("process", () => {
    test("scheduler, ioPriority, personality and memoryPolicy, in exec too", async () => {
      const bundle = runtime.bundle(["sleep", "1000"], (spec) => {
        spec.process.scheduler = { policy: "SCHED_BATCH", nice: 5 };
        spec.process.ioPriority = { class: "IOPRIO_CLASS_IDLE" };
        spec.linux.personality = { domain: "LINUX32" };
        spec.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] };
      });
      await runtime.must("run", "--detach", "--bundle", bundle, "field");
      try {
        const look = [
          "cut -d' ' -f19,41 /proc/$P/stat",
          "ionice -p $P",
          "cat /proc/$P/personality",
          "head -n 1 /proc/$P/numa_maps",
        ];
        const script = (pid: string) => look.join("; ").replaceAll("$P", pid);
        const expected = /^5 3\nidle(: prio \d)?\n00000008\n\S+ bind=static:0 /;
        expect(await runtime.must("exec", "field", "sh", "-c", script("1"))).toMatch(expected);
        expect(await runtime.must("exec", "field", "sh", "-c", script("self"))).toMatch(
          /00000008\n\S+ bind=static:0 /,
        );
      } finally {
        await runtime.must("delete", "--force", "field");
      }
    });

    test("execCPUAffinity: a further process runs where it says", async () => {
      const bundle = runtime.bundle(["sleep", "1000"], (spec) => {
        spec.process.execCPUAffinity = { initial: "0", final: "0" };
      });
      await runtime.must("run", "--detach", "--bundle", bundle, "field");
      const list = async (...words: string[]) =>
        (await runtime.must("exec", "field", "grep", "Cpus_allowed_list", ...words)).split("\t")[1];
      expect(await list("/proc/self/status")).toBe("0\n");
      expect(await list("/proc/1/status")).toBe(
        readFileSync("/proc/self/status", "utf8").match(/Cpus_allowed_list:\t(.*\n)/)?.[1],
      );
      await runtime.must("delete", "--force", "field");
    });

    test("rlimits, umask, additionalGids, oomScoreAdj", async () => {
      const output = await inside(
        "ulimit -c; ulimit -n; umask; id -G; cat /proc/self/oom_score_adj",
        (spec) => {
          spec.process.rlimits = [
            { type: "RLIMIT_CORE", soft: 5 * 512, hard: 10 * 512 },
            { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
          ];
          spec.process.user = { uid: 0, gid: 3, additionalGids: [7, 8], umask: 0o27 } as never;
          spec.process.oomScoreAdj = 77;
        },
      );
      expect(output).toBe("5\n100\n0027\n3 7 8\n77\n");
    });

    test("a limit that is named twice, or a policy that is unknown, is an error", async () => {
      const core = { type: "RLIMIT_CORE", soft: 0, hard: 0 };
      expect(
        await fails((spec) => {
          spec.process.rlimits = [core, core];
        }),
      ).toContain("RLIMIT_CORE is named twice");
      expect(
        await fails((spec) => {
          spec.process.scheduler = { policy: "SCHED_X" };
        }),
      ).toContain("SCHED_X is unknown");
    });
  });

  describe("namespaces", () => {
    test("timeOffsets shift the clocks", async () => {
      const output = await inside("cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime", (spec) => {
        spec.linux.namespaces.push({ type: "time" });
        spec.linux.timeOffsets = { monotonic: { secs: 5, nanosecs: 7 }, boottime: { secs: 1_000_000 } };
      });
      expect(output).toMatch(/monotonic +5 +7\nboottime +1000000 +0\n1\d{6}\n/);
    });

    test("a path that leads to another kind of namespace is an error", async () => {
      const stderr = await fails((spec) => {
        const uts = spec.linux.namespaces.find(({ type }) => type === "uts");
        if (uts !== undefined) uts.path = "/proc/self/ns/net";
        delete spec.hostname;
      });
      expect(stderr).toContain("join the uts namespace /proc/self/ns/net: setns: invalid argument");
    });

    test("hostname and domainname", async () => {
      const change = (spec: TestSpec) => {
        spec.hostname = "host-of-mine";
        spec.domainname = "domain.of.mine";
      };
      expect(await inside("hostname; cat /proc/sys/kernel/domainname", change)).toBe(
        "host-of-mine\ndomain.of.mine\n",
      );
    });

    test("sysctl in its own namespace", async () => {
      const change = (spec: TestSpec) => {
        spec.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.msgmax": "4096" };
      };
      expect(await inside("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax", change)).toBe(
        "1\n4096\n",
      );
    });
  });

  describe("mounts", () => {
    /** A directory with a tmpfs mounted below it, for the time of `use`. */
    async function withMountBelow(name: string, use: (directory: string) => Promise<void>): Promise<void> {
      const directory = join(runtime.directory, name);
      mkdirSync(join(directory, "below"), { recursive: true });
      await mustRun(["mount", "-t", "tmpfs", "below", join(directory, "below")]);
      try {
        await use(directory);
      } finally {
        await mustRun(["umount", join(directory, "below")]);
      }
    }

    const optionsOf = (output: string) =>
      output
        .trim()
        .split("\n")
        .map((line) =>
          line
            .split(" ")[5]
            ?.split(",")
            .filter((word) => word !== "relatime")
            .join(","),
        );

    test.each([
      ["ro", ["ro", "rw"]],
      ["rro", ["ro", "ro"]],
      ["rnosuid", ["rw,nosuid", "rw,nosuid"]],
      ["rnodev,nosuid", ["rw,nosuid,nodev", "rw,nodev"]],
      ["rnoexec", ["rw,noexec", "rw,noexec"]],
      ["rro,rw", ["ro", "ro"]],
      ["rnosymfollow", ["rw,nosymfollow", "rw,nosymfollow"]],
      ["rnoatime", ["rw,noatime", "rw,noatime"]],
    ])("rbind,%s reaches the mounts below as it says", async (options, expected) => {
      await withMountBelow(`below-${options.replace(",", "-")}`, async (source) => {
        const output = await inside("grep ' /bound' /proc/self/mountinfo", (spec) => {
          addMount(spec, {
            destination: "/bound",
            type: "none",
            source,
            options: ["rbind", ...options.split(",")],
          });
        });
        expect(optionsOf(output)).toEqual(expected);
      });
    });

    test("tmpcopyup copies what is there with links, attributes and owners", async () => {
      const image = join(runtime.rootfs, "copied");
      mkdirSync(join(image, "deep"), { recursive: true });
      writeFileSync(join(image, "one"), "content", { mode: 0o640 });
      chownSync(join(image, "one"), 5, 6);
      linkSync(join(image, "one"), join(image, "deep/two"));
      writeFileSync(join(image, "able"), "", { mode: 0o755 });
      await mustRun(["setcap", "cap_net_raw=ep", join(image, "able")]);
      const bundle = runtime.bundle(["sleep", "1000"], (spec) => {
        addMount(spec, { destination: "/copied", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] });
      });
      await runtime.must("run", "--detach", "--bundle", bundle, "field");
      try {
        const copy = `/proc/${(await runtime.state("field")).pid}/root/copied`;
        const one = statSync(join(copy, "one"));
        expect(one).toMatchObject({ uid: 5, gid: 6, nlink: 2, ino: statSync(join(copy, "deep/two")).ino });
        expect(one.ino).not.toBe(statSync(join(image, "one")).ino);
        expect(readFileSync(join(copy, "deep/two"), "utf8")).toBe("content");
        expect(await mustRun(["getcap", join(copy, "able")])).toContain("cap_net_raw=ep");
      } finally {
        await runtime.must("delete", "--force", "field");
      }
    });

    describe("idmapped", () => {
      const source = () => join(runtime.directory, "mapped");
      const maps = [{ containerID: 0, hostID: 200_000, size: 1000 }];

      test("by mappings of the mount's own", async () => {
        mkdirSync(source(), { recursive: true });
        writeFileSync(join(source(), "file"), "");
        const output = await inside("stat -c %u:%g /mapped/file", (spec) => {
          addMount(spec, {
            destination: "/mapped",
            type: "none",
            source: source(),
            options: ["bind"],
            uidMappings: maps,
            gidMappings: maps,
          });
        });
        expect(output).toBe("200000:200000\n");
      });

      test("by those of the container's user namespace: idmap", async () => {
        mkdirSync(source(), { recursive: true });
        writeFileSync(join(source(), "file"), "");
        for (const path of [runtime.rootfs, source(), join(source(), "file")]) chownSync(path, 0, 0);
        const output = await inside("stat -c %u:%g /mapped/file; touch /mapped/inside", (spec) => {
          spec.linux.namespaces.push({ type: "user" });
          spec.linux.uidMappings = [{ containerID: 0, hostID: 200_000, size: 65536 }];
          spec.linux.gidMappings = [{ containerID: 0, hostID: 200_000, size: 65536 }];
          spec.mounts = (spec.mounts as { destination: string }[]).filter(
            ({ destination }) => destination !== "/sys/fs/cgroup",
          );
          addMount(spec, {
            destination: "/mapped",
            type: "none",
            source: source(),
            options: ["bind", "idmap"],
          });
        });
        expect(output).toBe("0:0\n");
        expect(statSync(join(source(), "inside"))).toMatchObject({ uid: 0, gid: 0 });
      });

      test("ridmap maps the mounts below too", async () => {
        await withMountBelow("mapped-below", async (directory) => {
          writeFileSync(join(directory, "below/file"), "");
          const stat = async (word: string) =>
            inside("stat -c %u /mapped/below/file", (spec) => {
              addMount(spec, {
                destination: "/mapped",
                type: "none",
                source: directory,
                options: ["rbind", word],
                uidMappings: maps,
                gidMappings: maps,
              });
            });
          expect(await stat("ridmap")).toBe("200000\n");
        });
      });

      test("needs mappings, and both kinds", async () => {
        const mount = { destination: "/mapped", type: "none", source: "/tmp", options: ["bind", "idmap"] };
        expect(await fails((spec) => addMount(spec, mount))).toContain(
          "neither it nor the container has id mappings",
        );
        expect(await fails((spec) => addMount(spec, { ...mount, uidMappings: maps }))).toContain(
          "only one of uidMappings and gidMappings",
        );
      });
    });

    test("in the listed order, on targets that are made", async () => {
      const file = join(runtime.directory, "file");
      writeFileSync(file, "bound\n");
      const output = await inside("cat /order/made/file; mount | grep -c order", (spec) => {
        addMount(spec, { destination: "/order", type: "tmpfs", source: "tmpfs" });
        addMount(spec, { destination: "/order/made/file", type: "none", source: file, options: ["bind"] });
      });
      expect(output).toBe("bound\n2\n");
      expect(existsSync(join(runtime.rootfs, "order/made"))).toBe(false);
    });

    test("a directory on a file is an error that says so", async () => {
      const stderr = await fails((spec) => {
        addMount(spec, { destination: "/etc/passwd", type: "none", source: "/tmp", options: ["bind"] });
      });
      expect(stderr).toContain("a directory can only be mounted on a directory, and a file on a file");
    });
  });

  describe("devices", () => {
    test("have the type, number, mode and owner of the spec", async () => {
      const output = await inside("stat -c '%F %t:%T %a %u:%g' /dev/mine /dev/fifo", (spec) => {
        spec.linux.devices = [
          { path: "/dev/mine", type: "c", major: 10, minor: 200, fileMode: 0o620, uid: 3, gid: 4 },
          { path: "/dev/fifo", type: "p", fileMode: 0o600 },
        ];
      });
      expect(output).toBe("character special file a:c8 620 3:4\nfifo 0:0 600 0:0\n");
    });

    test("where something else stands is an error", async () => {
      writeFileSync(join(runtime.rootfs, "other"), "");
      const stderr = await fails((spec) => {
        spec.linux.devices = [{ path: "/other", type: "c", major: 1, minor: 3 }];
      });
      expect(stderr).toContain("make device /other (c 1:3): file exists");
    });

    test("the default ones and the links are there without being asked for", async () => {
      const names = [
        "null",
        "zero",
        "full",
        "random",
        "urandom",
        "tty",
        "ptmx",
        "fd",
        "stdin",
        "stdout",
        "stderr",
      ];
      await inside(
        names.map((name) => `test -e /dev/${name} || test -L /dev/${name}`).join(" && "),
        () => {},
      );
    });
  });

  describe("resources", () => {
    const blkio = "/sys/fs/cgroup/blkio";
    const disk = /^\d+:\d+$/m.exec(
      existsSync("/sys/block/vda/dev") ? readFileSync("/sys/block/vda/dev", "utf8") : "",
    )?.[0];

    test.skipIf(!existsSync(blkio) || disk === undefined)(
      "blockIO throttles a disk, until update changes it",
      async () => {
        const [major, minor] = (disk ?? "").split(":").map(Number);
        const bundle = runtime.bundle(["sleep", "1000"], (spec) => {
          spec.linux.resources = {
            blockIO: {
              throttleReadBpsDevice: [{ major, minor, rate: 1 << 20 }],
              throttleWriteIOPSDevice: [{ major, minor, rate: 30 }],
            },
          };
        });
        await runtime.must("run", "--detach", "--bundle", bundle, "field");
        const [directory = ""] = runtime.cgroupsOf(bundle).filter((path) => path.startsWith(blkio));
        const read = (file: string) => readFileSync(join(directory, `blkio.throttle.${file}`), "utf8").trim();
        expect(read("read_bps_device")).toBe(`${disk} ${1 << 20}`);
        expect(read("write_iops_device")).toBe(`${disk} 30`);
        const resources = { blockIO: { throttleReadBpsDevice: [{ major, minor, rate: 2 << 20 }] } };
        const update = await runtime.run(["update", "--resources", "-", "field"], {
          input: JSON.stringify(resources),
        });
        expect(update.exitCode).toBe(0);
        expect(read("read_bps_device")).toBe(`${disk} ${2 << 20}`);
        await runtime.must("delete", "--force", "field");
      },
    );

    test("of controllers that are not mounted, or of the other version, are refused", async () => {
      const refusal = (resources: Record<string, unknown>) =>
        fails((spec) => {
          spec.linux.resources = resources;
        });
      expect(await refusal({ unified: { "memory.high": "1M" } })).toContain("linux.resources.unified");
      expect(await refusal({ rdma: { mlx5_1: { hcaHandles: 3 } } })).toContain("linux.resources.rdma");
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ["linux.intelRdt: this kernel has no resctrl", { intelRdt: { closID: "x" } }],
    ["but this host has no SELinux", { mountLabel: "system_u:object_r:x:s0" }],
  ])("%s is refused by name", async (field, linux) => {
    expect(await fails((spec) => Object.assign(spec.linux, linux))).toContain(field);
  });

  test("unknown properties and annotations are ignored", async () => {
    const output = await inside("echo on", (spec) => {
      spec.future = { a: 1 };
      spec.linux.future = [1];
      spec.annotations = { "org.example.unknown": "x" };
    });
    expect(output).toBe("on\n");
  });
});
