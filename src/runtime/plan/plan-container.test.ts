import { describe, expect, test } from "bun:test";
import type { OciLinux, OciProcess, OciSpec } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import { planContainer } from "./plan-container.ts";
import { planExec } from "./plan-exec.ts";
import type { PlanOptions } from "./plan-options.ts";
import { testHost } from "./testing/test-host.ts";

interface Parts {
  readonly spec?: Partial<OciSpec>;
  readonly process?: Partial<OciProcess>;
  readonly linux?: OciLinux;
  readonly host?: HostFacts;
  readonly options?: Partial<PlanOptions>;
}

const namespaces = (...types: NonNullable<OciLinux["namespaces"]>[number]["type"][]) =>
  types.map((type) => ({ type }));

function planOf({ spec, process, linux, host = testHost, options }: Parts = {}): readonly KernelStep[] {
  const whole: OciSpec = {
    ociVersion: "1.3.0",
    root: { path: "rootfs" },
    process: { cwd: "/", args: ["sh"], ...process },
    linux: { namespaces: namespaces("mount", "pid", "uts", "ipc", "network", "cgroup"), ...linux },
    ...spec,
  };
  return planContainer(whole, host, { containerId: "c1", bundle: "/bundle", ...options }).steps;
}

const find = <Op extends KernelStep["op"]>(steps: readonly KernelStep[], op: Op) =>
  steps.filter((step): step is Extract<KernelStep, { op: Op }> => step.op === op);
const order = (steps: readonly KernelStep[], ops: readonly KernelStep["op"][]) =>
  steps.map(({ op }) => op).filter((op) => ops.includes(op));

describe("a plan", () => {
  test("moves network devices before the hooks that could use them", () => {
    const steps = planOf({
      spec: { hooks: { createRuntime: [{ path: "/own" }] } },
      linux: { namespaces: namespaces("mount", "network"), netDevices: { eth7: {}, eth8: { name: "lan" } } },
      options: { deviceMover: ["/gantry", "move"] },
    });
    expect(find(steps, "hook").map(({ kind, args }) => [kind, ...args.slice(1)])).toEqual([
      ["network device", "move", "eth7", "eth7"],
      ["network device", "move", "eth8", "lan"],
      ["createRuntime"],
    ]);
  });

  test("has its phases in order and ends with exec", () => {
    const steps = planOf();
    const phases = steps.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1]);
    expect(phases).toEqual(["host", "clone", "setup", "start"]);
    expect(steps.at(-1)?.op).toBe("exec");
  });

  test("keeps the order that the kernel forces", () => {
    const steps = planOf({
      spec: { root: { path: "/r", readonly: true }, hostname: "h" },
      process: { cwd: "/work", terminal: true },
      linux: {
        namespaces: namespaces("mount", "uts"),
        maskedPaths: ["/proc/kcore"],
        readonlyPaths: ["/proc/sys"],
      },
    });
    const forced: KernelStep["op"][] = [
      "set-propagation",
      "open-root",
      "make-directory",
      "pivot-root",
      "console",
      "make-root-readonly",
      "set-hostname",
      "readonly-path",
      "mask-path",
    ];
    expect(order(steps, forced)).toEqual(forced);
  });

  test("gives every step a reason: the user's words, those of a place above, or the place itself", () => {
    const linux: OciLinux = {
      namespaces: namespaces("mount"),
      resources: { memory: { limit: 1024 }, pids: { limit: 5 } },
      maskedPaths: ["/proc/kcore"],
    };
    const origins = new Map([
      ["/linux/resources/memory/limit", "--memory 1k"],
      ["/linux/resources", "limits"],
    ]);
    const steps = planOf({ linux, options: { origins } });
    const reasons = find(steps, "write-cgroup").map(({ reason }) => reason);
    expect(reasons).toEqual(["--memory 1k", "limits"]);
    expect(find(steps, "mask-path")[0]?.reason).toBe("config.json linux.maskedPaths");
    expect(find(planOf({ linux }), "write-cgroup")[0]?.reason).toBe(
      "config.json linux.resources.memory.limit",
    );
    expect(steps.filter(({ reason }) => reason === "")).toEqual([]);
  });
});

describe("namespaces", () => {
  test("are joined before the process is made, new ones are made with it, the cgroup one after joining the cgroup", () => {
    const steps = planOf({
      linux: {
        namespaces: [
          { type: "mount" },
          { type: "cgroup" },
          { type: "pid", path: "/proc/1/ns/pid" },
          { type: "network", path: "/run/netns/a" },
        ],
      },
    }).filter(({ phase }) => phase === "clone");
    expect(steps.map(({ op }) => op)).toEqual([
      "join-namespace",
      "join-namespace",
      "clone",
      "join-cgroup",
      "unshare-cgroup",
    ]);
    expect(find(steps, "join-namespace").map(({ path }) => path)).toEqual(["/run/netns/a", "/proc/1/ns/pid"]);
    expect(find(steps, "clone")[0]?.namespaces).toEqual(["mount"]);
  });

  test("of users bring their maps, and bound devices", () => {
    const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
    const steps = planOf({
      linux: { namespaces: namespaces("mount", "user"), uidMappings: map, gidMappings: map },
    });
    expect(find(steps, "write-id-map").map(({ kind, map }) => [kind, map])).toEqual([
      ["uid", "0 100000 65536\n"],
      ["gid", "0 100000 65536\n"],
    ]);
    expect(find(steps, "make-device")).toEqual([]);
    expect(find(steps, "bind-device")).toHaveLength(6);
  });

  test("a new network one gets its loopback, a joined one has it", () => {
    expect(find(planOf(), "bring-up-loopback")).toHaveLength(1);
    const joined = { namespaces: [{ type: "mount" } as const, { type: "network", path: "/n" } as const] };
    expect(find(planOf({ linux: joined }), "bring-up-loopback")).toEqual([]);
  });

  test("of time take offsets", () => {
    const linux: OciLinux = {
      namespaces: namespaces("mount", "time"),
      timeOffsets: { boottime: { secs: 7 } },
    };
    expect(find(planOf({ linux }), "write-time-offset")).toMatchObject([
      { clock: "boottime", secs: 7, nanosecs: 0 },
    ]);
  });

  test.each<[string, OciLinux, string]>([
    ["no mount namespace", { namespaces: [] }, "without a mount namespace"],
    [
      "a type twice",
      { namespaces: namespaces("mount", "pid", "pid") },
      "linux.namespaces[2]: pid is named twice",
    ],
    ["a relative path", { namespaces: [{ type: "mount" }, { type: "pid", path: "x" }] }, "x is not absolute"],
    [
      "users without maps",
      { namespaces: namespaces("mount", "user") },
      "a new user namespace needs id mappings",
    ],
    [
      "maps without users",
      { namespaces: namespaces("mount"), uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] },
      "linux.uidMappings: needs a user namespace",
    ],
    [
      "offsets without time",
      { namespaces: namespaces("mount"), timeOffsets: { monotonic: { secs: 1 } } },
      "needs a new time namespace",
    ],
  ])("%s is refused", (_, linux, message) => {
    expect(() => planOf({ linux })).toThrow(message);
  });

  test("which this kernel lacks are refused", () => {
    const host = { ...testHost, namespaces: ["mount" as const] };
    expect(() => planOf({ host })).toThrow("this kernel has no pid namespaces");
  });

  test("maps that overlap are refused", () => {
    const map = [
      { containerID: 0, hostID: 0, size: 10 },
      { containerID: 5, hostID: 100, size: 10 },
    ];
    const linux = { namespaces: namespaces("mount", "user"), uidMappings: map, gidMappings: map };
    expect(() => planOf({ linux })).toThrow("linux.uidMappings[1]: overlaps an earlier mapping");
  });
});

describe("privileges", () => {
  const seccomp = { defaultAction: "SCMP_ACT_ALLOW" } as const;
  const linux: OciLinux = { namespaces: namespaces("mount"), seccomp };
  const privileges: KernelStep["op"][] = [
    "set-bounding",
    "set-user",
    "set-capabilities",
    "no-new-privileges",
    "load-seccomp",
    "exec",
  ];

  test("with no_new_privs the filter is the last thing before exec", () => {
    expect(order(planOf({ linux, process: { noNewPrivileges: true } }), privileges)).toEqual([
      "set-bounding",
      "set-user",
      "set-capabilities",
      "no-new-privileges",
      "load-seccomp",
      "exec",
    ]);
  });

  test("without it the filter is loaded while CAP_SYS_ADMIN is there", () => {
    expect(order(planOf({ linux }), privileges)).toEqual([
      "set-bounding",
      "set-user",
      "load-seccomp",
      "set-capabilities",
      "exec",
    ]);
    const asUser = planOf({ linux, process: { user: { uid: 5, gid: 6, additionalGids: [6, 7] } } });
    expect(order(asUser, privileges)).toEqual([
      "set-bounding",
      "set-user",
      "set-capabilities",
      "load-seccomp",
      "set-capabilities",
      "exec",
    ]);
    expect(find(asUser, "set-user")).toMatchObject([{ uid: 5, gid: 6, additionalGids: [6, 7] }]);
    expect(find(asUser, "set-capabilities")[0]?.effective).toBe((1n << 21n) | (1n << 8n));
  });

  test("what is unknown or cannot be granted is left out", () => {
    const host = { ...testHost, capabilities: { bounding: 0xffn, permitted: 0x7fn } };
    const names = ["CAP_CHOWN", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_FLY"];
    const capabilities = { bounding: names, permitted: names, effective: names, ambient: names };
    const [set] = find(planOf({ host, process: { capabilities } }), "set-capabilities");
    expect(set).toMatchObject({ permitted: 1n, effective: 1n, ambient: 0n, inheritable: 0n });
  });

  test("no capabilities at all is what a process without the field gets", () => {
    expect(find(planOf(), "set-bounding")[0]?.mask).toBe(0n);
  });
});

describe("limits of a process", () => {
  const host = {
    ...testHost,
    capabilities: { bounding: 0n, permitted: ((1n << 41n) - 1n) & ~(1n << 24n) }, // without CAP_SYS_RESOURCE
  };
  const rlimits = (hard: number | bigint) => [{ type: "RLIMIT_NOFILE", soft: 1, hard }];

  test("are set by number, late", () => {
    const steps = planOf({ process: { rlimits: rlimits(524288), cwd: "/x" } });
    expect(find(steps, "set-rlimit")).toMatchObject([
      { resource: 7, name: "RLIMIT_NOFILE", soft: 1n, hard: 524288n },
    ]);
    expect(order(steps, ["change-directory", "set-rlimit", "set-user"])).toEqual([
      "change-directory",
      "set-rlimit",
      "set-user",
    ]);
  });

  test("above the host's need CAP_SYS_RESOURCE", () => {
    expect(() => planOf({ host, process: { rlimits: rlimits((1n << 64n) - 1n) } })).toThrow(
      "RLIMIT_NOFILE: hard limit unlimited is above this host's 524288, and raising it needs CAP_SYS_RESOURCE",
    );
    expect(find(planOf({ host, process: { rlimits: rlimits(1000) } }), "set-rlimit")).toHaveLength(1);
    expect(find(planOf({ process: { rlimits: rlimits(999999) } }), "set-rlimit")).toHaveLength(1);
    expect(() => planOf({ host, process: { oomScoreAdj: -5 } })).toThrow(
      "oom_score_adj: -5 is below this host's 0",
    );
  });

  test.each([
    [[{ type: "RLIMIT_FUN", soft: 1, hard: 1 }], "RLIMIT_FUN is unknown"],
    [[{ type: "RLIMIT_CPU", soft: 2, hard: 1 }], "soft limit 2 is higher than hard limit 1"],
    [[...rlimits(5), ...rlimits(5)], "process.rlimits[1]: RLIMIT_NOFILE is named twice"],
  ])("case %# is refused", (limits, message) => {
    expect(() => planOf({ process: { rlimits: limits } })).toThrow(message);
  });
});

describe("kernel parameters", () => {
  const sysctl = (key: string, types = namespaces("mount", "ipc", "network", "uts")) =>
    find(planOf({ linux: { namespaces: types, sysctl: { [key]: "1" } } }), "set-sysctl").map(
      (step) => step.key,
    );

  test.each([
    ["net.ipv4.ip_forward", "net.ipv4.ip_forward"],
    ["net/ipv4/ip_forward", "net.ipv4.ip_forward"],
    ["net/ipv4/conf/eth0.1/forwarding", "net.ipv4.conf.eth0/1.forwarding"],
    ["kernel.shmmax", "kernel.shmmax"],
    ["fs.mqueue.msg_max", "fs.mqueue.msg_max"],
    ["kernel.domainname", "kernel.domainname"],
  ])("%s is the container's own", (key, wanted) => {
    expect(sysctl(key)).toEqual([wanted]);
  });

  test.each(["kernel.core_pattern", "vm.overcommit_memory", "kernel.hostname", "user.max_user_namespaces"])(
    "%s is refused",
    (key) => {
      expect(() => sysctl(key)).toThrow(`sysctl ${key}`);
    },
  );

  test.each(["net...ipv4", "net.../../kernel/core_pattern", "net.ipv4.", "net.a b"])(
    "%p is no name",
    (key) => {
      expect(() => sysctl(key)).toThrow("is no name of a kernel parameter");
    },
  );

  test("of a shared namespace is refused", () => {
    expect(() => sysctl("net.ipv4.ip_forward", namespaces("mount"))).toThrow("as it would change the host");
  });
});

describe("devices", () => {
  test("are the default ones, the links, and those of the spec in place of a default", () => {
    const devices = [
      { path: "/dev/fuse", type: "u", major: 10, minor: 229, fileMode: 0o600, uid: 1, gid: 2 },
      { path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 0o600 },
    ] as const;
    const steps = planOf({ linux: { namespaces: namespaces("mount"), devices } });
    const made = find(steps, "make-device");
    expect(made.map(({ path }) => path)).toEqual(
      ["zero", "full", "random", "urandom", "tty", "fuse", "null"].map((name) => `/dev/${name}`),
    );
    expect(made.at(-2)).toMatchObject({ kind: "c", major: 10, minor: 229, mode: 0o600, uid: 1, gid: 2 });
    expect(find(steps, "symlink").map(({ path }) => path)).toContain("/dev/ptmx");
  });

  test("of a bound /dev are the host's", () => {
    const mounts = [{ destination: "/dev/", source: "/dev", options: ["rbind"] }];
    const steps = planOf({ spec: { mounts } });
    expect(find(steps, "make-device")).toEqual([]);
    expect(find(steps, "symlink")).toEqual([]);
  });

  test.each([
    [{ path: "dev/x", type: "c", major: 1, minor: 1 }, "dev/x is not absolute"],
    [{ path: "/dev/x", type: "b", major: 1 }, "linux.devices[0].minor"],
    [{ path: "/dev/x", type: "c", major: 5000, minor: 1 }, "5000 is no major number"],
  ] as const)("case %# is refused", (device, message) => {
    expect(() => planOf({ linux: { namespaces: namespaces("mount"), devices: [device] } })).toThrow(message);
  });
});

describe("hooks", () => {
  const hooks = {
    prestart: [{ path: "/a", args: ["a", "1"], timeout: 3 }],
    createContainer: [{ path: "/b" }],
    startContainer: [{ path: "/c" }],
    poststop: [{ path: "/d" }],
  };

  test("run in their phase and namespaces, with a state in which only the pid is still 0", () => {
    const steps = planOf({ spec: { hooks, annotations: { a: "b" } } });
    const planned = find(steps, "hook");
    expect(planned.map(({ kind, phase, where }) => [kind, phase, where])).toEqual([
      ["prestart", "setup", "runtime"],
      ["createContainer", "setup", "container"],
      ["startContainer", "start", "container"],
    ]);
    expect(planned[0]).toMatchObject({ path: "/a", args: ["a", "1"], timeoutMs: 3000 });
    expect(JSON.parse(planned[0]?.state ?? "")).toEqual({
      ociVersion: "1.3.0",
      id: "c1",
      status: "creating",
      bundle: "/bundle",
      annotations: { a: "b" },
      pid: 0,
    });
    expect(order(steps, ["hook", "pivot-root"])).toEqual(["hook", "hook", "pivot-root", "hook"]);
  });

  test("with relative paths are refused", () => {
    expect(() => planOf({ spec: { hooks: { prestart: [{ path: "x" }] } } })).toThrow(
      "hooks.prestart[0].path: x is not absolute",
    );
  });
});

describe("refused by name", () => {
  test.each<[string, Parts, string]>([
    ["no process", { spec: { process: undefined as never } }, "process: is missing"],
    ["no command", { process: { args: [] } }, "process.args: names no command to run"],
    ["a relative directory", { process: { cwd: "x" } }, "process.cwd: x is not absolute"],
    ["AppArmor without AppArmor", { process: { apparmorProfile: "p" } }, "this host has no AppArmor"],
    ["SELinux without SELinux", { process: { selinuxLabel: "l" } }, "this host has no SELinux"],
    ...(["uid", "gid"] as const).map((kind): [string, Parts, string] => [
      `a ${kind} that is not mapped`,
      {
        process: { user: { uid: 5, gid: 5, [kind]: 10 } },
        linux: {
          namespaces: namespaces("mount", "user"),
          uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
          gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
        },
      },
      `process.user.${kind}: 10 is not mapped`,
    ]),
    [
      "a network device without a network",
      { linux: { namespaces: namespaces("mount"), netDevices: { eth0: {} } } },
      "linux.netDevices.eth0: needs a network namespace of the container's own",
    ],
    [
      "a network device with a name that is none",
      { linux: { namespaces: namespaces("mount", "network"), netDevices: { eth0: { name: "a/b" } } } },
      'linux.netDevices.eth0.name: "a/b"',
    ],
    [
      "two network devices of one name",
      {
        linux: {
          namespaces: namespaces("mount", "network"),
          netDevices: { a: { name: "x" }, b: { name: "x" } },
        },
        options: { deviceMover: ["/g"] },
      },
      "linux.netDevices.b.name: x is the name of another device",
    ],
    [
      "intelRdt without resctrl",
      { linux: { namespaces: namespaces("mount"), intelRdt: {} } },
      "linux.intelRdt: this kernel has no resctrl",
    ],
    [
      "intelRdt with resctrl",
      { linux: { namespaces: namespaces("mount"), intelRdt: {} }, host: { ...testHost, resctrl: true } },
      "linux.intelRdt: groups of resctrl are not made",
    ],
    [
      "mountLabel without SELinux",
      { linux: { namespaces: namespaces("mount"), mountLabel: "u:r:t:s0" } },
      "linux.mountLabel: u:r:t:s0 is asked for, but this host has no SELinux",
    ],
    [
      "an unknown memory policy",
      { linux: { namespaces: namespaces("mount"), memoryPolicy: { mode: "MPOL_NEAR" } } },
      "linux.memoryPolicy.mode: MPOL_NEAR is unknown",
    ],
    [
      "nodes of memory that no kernel has",
      { linux: { namespaces: namespaces("mount"), memoryPolicy: { mode: "MPOL_BIND", nodes: "1024" } } },
      "linux.memoryPolicy.nodes: 1024 is no list",
    ],
    ["mountLabel", { linux: { namespaces: namespaces("mount"), mountLabel: "l" } }, "linux.mountLabel"],
    [
      "a host name without uts",
      { spec: { hostname: "h" }, linux: { namespaces: namespaces("mount") } },
      "hostname: needs a uts namespace",
    ],
    [
      "a propagation",
      { linux: { namespaces: namespaces("mount"), rootfsPropagation: "up" } },
      "up is no propagation",
    ],
    [
      "a personality",
      { linux: { namespaces: namespaces("mount"), personality: { domain: "BSD" } } },
      "BSD is not LINUX",
    ],
    ["a scheduler", { process: { scheduler: { policy: "SCHED_X" } } }, "SCHED_X is unknown"],
    ["an I/O class", { process: { ioPriority: { class: "X" } } }, "process.ioPriority.class: X is unknown"],
  ])("%s", (_, parts, message) => {
    expect(() => planOf(parts)).toThrow(message);
  });
});

describe("a further process", () => {
  const target = {
    containerId: "c1",
    pid: 42,
    namespaces: ["mount", "pid", "network", "user"] as const,
    cgroupDirectories: ["/sys/fs/cgroup/g/c1"],
    seccomp: { defaultAction: "SCMP_ACT_ALLOW" } as const,
  };

  test("joins the container's namespaces and cgroup and mounts nothing", () => {
    const { steps } = planExec({ cwd: "/tmp", args: ["ps"], terminal: true }, target, testHost);
    expect(steps.map(({ op }) => op)).toEqual([
      "join-namespace",
      "join-namespace",
      "join-namespace",
      "join-namespace",
      "clone",
      "join-cgroup",
      "new-session",
      "new-keyring",
      "console",
      "set-umask",
      "change-directory",
      "set-bounding",
      "set-user",
      "load-seccomp",
      "set-capabilities",
      "exec",
    ]);
    expect(find(steps, "join-namespace").map(({ path }) => path)).toEqual([
      "/proc/42/ns/user",
      "/proc/42/ns/net",
      "/proc/42/ns/pid",
      "/proc/42/ns/mnt",
    ]);
  });

  test("runs on the processors that it names", () => {
    const process = { cwd: "/", args: ["ps"], execCPUAffinity: { initial: "0", final: "1,3-4" } };
    const [step] = find(planExec(process, target, testHost).steps, "set-cpu-affinity");
    expect([...(step?.mask ?? [])]).toEqual([0b11010, 0, 0, 0, 0, 0, 0, 0]);
    expect(() => planExec({ ...process, execCPUAffinity: { final: "x" } }, target, testHost)).toThrow(
      "process.execCPUAffinity.final: x is no list",
    );
  });
});
