import { describe, expect, test } from "bun:test";
import type { OciMount } from "../../formats/oci-runtime.ts";
import { testHost, versionOne } from "../../runtime/plan/testing/test-host.ts";
import { buildExecProcess } from "./build-exec.ts";
import { buildSpec } from "./build-spec.ts";
import type { ContainerConfig, HostConfig } from "./docker-config.ts";
import type { SpecInput } from "./spec-input.ts";
import { testId, testInput } from "./testing/test-input.ts";

const build = (hostConfig: HostConfig = {}, config: ContainerConfig = {}, input: Partial<SpecInput> = {}) =>
  buildSpec(testInput({ hostConfig, config, input }));
const mountAt = (mounts: readonly OciMount[] | undefined, destination: string) =>
  mounts?.find((mount) => mount.destination === destination);

describe("a default container", () => {
  const { spec, origins, warnings } = build();

  test("has Docker's mounts in Docker's order", () => {
    expect(spec.mounts?.map(({ destination }) => destination)).toEqual([
      "/proc",
      "/dev",
      "/dev/pts",
      "/sys",
      "/sys/fs/cgroup",
      "/dev/mqueue",
      "/dev/shm",
      "/etc/resolv.conf",
      "/etc/hostname",
      "/etc/hosts",
    ]);
    expect(mountAt(spec.mounts, "/dev/shm")?.options).toContain("size=67108864");
  });

  test("has its own namespaces, cgroup, name, filter and 14 capabilities", () => {
    expect(spec.linux?.namespaces?.map(({ type }) => type)).toEqual([
      "mount",
      "network",
      "uts",
      "pid",
      "ipc",
      "cgroup",
    ]);
    expect(spec.linux?.cgroupsPath).toBe(`/gantry/${testId}`);
    expect(spec.hostname).toBe(testId.slice(0, 12));
    expect(spec.process?.capabilities?.bounding).toHaveLength(14);
    expect(spec.linux?.seccomp?.defaultAction).toBe("SCMP_ACT_ERRNO");
    expect(spec.linux?.maskedPaths).toContain("/proc/kcore");
    expect(spec.linux?.sysctl).toEqual({
      "net.ipv4.ip_unprivileged_port_start": "0",
      "net.ipv4.ping_group_range": "0 2147483647",
    });
  });

  test("runs the image's command as root in /", () => {
    expect(spec.process).toMatchObject({
      args: ["sh"],
      cwd: "/",
      user: { uid: 0, gid: 0, additionalGids: [0] },
      env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        `HOSTNAME=${testId.slice(0, 12)}`,
        "HOME=/root",
      ],
    });
    expect(spec.process?.terminal).toBeUndefined();
    expect(spec.process?.rlimits).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(origins.get("")).toBe("default");
  });
});

describe("the process", () => {
  test("has the user's variables in place of the defaults, and none that he takes away", () => {
    const image = { Cmd: ["sh"], Env: ["PATH=/bin", "LANG=C", "A=image"] };
    const config = { Tty: true, Env: ["A=user", "HOME=/h", "HOSTNAME"] };
    expect(buildSpec(testInput({ config, image })).spec.process?.env).toEqual([
      "PATH=/bin",
      "TERM=xterm",
      "A=user",
      "HOME=/h",
      "LANG=C",
    ]);
  });

  test("joins entrypoint and command, behind the init program if there is one", () => {
    const config = { Entrypoint: ["/e"], Cmd: ["a"] };
    expect(build({}, config).spec.process?.args).toEqual(["/e", "a"]);
    const { spec } = build({ Init: true }, config, { initPath: "/run/init" });
    expect(spec.process?.args).toEqual(["/sbin/docker-init", "--", "/e", "a"]);
    expect(spec.mounts?.at(-1)).toEqual({
      destination: "/sbin/docker-init",
      type: "bind",
      source: "/run/init",
      options: ["bind", "ro"],
    });
  });

  test("has a size only with a terminal", () => {
    expect(build({ ConsoleSize: [24, 80] }, { Tty: true }).spec.process).toMatchObject({
      terminal: true,
      consoleSize: { height: 24, width: 80 },
    });
    expect(build({ ConsoleSize: [24, 80] }).spec.process?.consoleSize).toBeUndefined();
  });

  test("has the limits that were asked for", () => {
    const { spec, origins } = build({ Ulimits: [{ Name: "nofile", Soft: 10, Hard: -1 }] });
    expect(spec.process?.rlimits).toEqual([{ type: "RLIMIT_NOFILE", soft: 10n, hard: (1n << 64n) - 1n }]);
    expect(origins.get("/process/rlimits/0")).toBe("--ulimit nofile=10:-1");
  });

  test.each<[string, ContainerConfig, HostConfig, string]>([
    ["no command", { Entrypoint: [""] }, {}, "no command specified"],
    [
      "a relative directory",
      { WorkingDir: "x" },
      {},
      "the working directory 'x' is invalid, it needs to be an absolute path",
    ],
    [
      "an unknown user",
      { User: "nobody" },
      {},
      "unable to find user nobody: no matching entries in passwd file",
    ],
    ["a limit", {}, { Ulimits: [{ Name: "fun", Soft: 1, Hard: 1 }] }, "invalid ulimit type: fun"],
    [
      "a limit upside down",
      {},
      { Ulimits: [{ Name: "cpu", Soft: 2, Hard: 1 }] },
      "ulimit soft limit must be less than or equal to hard limit: 2 > 1",
    ],
    ["a capability", {}, { CapAdd: ["FLY"] }, 'unknown capability: "CAP_FLY"'],
    [
      "names in two places",
      { Hostname: "h" },
      { UTSMode: "host" },
      "conflicting options: hostname and the UTS mode",
    ],
  ])("%s is refused", (_, config, hostConfig, message) => {
    expect(() => build(hostConfig, config)).toThrow(message);
  });
});

describe("a privileged container", () => {
  const fuse = { path: "/dev/fuse", type: "c", major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 } as const;
  const { spec } = build({ Privileged: true }, {}, { allDevices: [fuse] });

  test("has everything", () => {
    expect(spec.process?.capabilities?.bounding).toHaveLength(41);
    expect(spec.linux?.seccomp).toBeUndefined();
    expect(spec.linux?.maskedPaths).toEqual([]);
    expect(spec.linux?.readonlyPaths).toEqual([]);
    expect(spec.linux?.devices?.map(({ path }) => path)).toEqual(["/dev/fuse"]);
    expect(spec.linux?.resources?.devices).toEqual([{ allow: true, access: "rwm" }]);
    for (const path of ["/sys", "/sys/fs/cgroup"])
      expect(mountAt(spec.mounts, path)?.options).not.toContain("ro");
  });

  test("gets only what the engine has itself", () => {
    const host = { ...testHost, capabilities: { bounding: 0x3n, permitted: 0x3n } };
    const built = buildSpec(testInput({ hostConfig: { Privileged: true }, host }));
    expect(built.spec.process?.capabilities?.bounding).toEqual(["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
  });
});

describe("mounts", () => {
  const mountsOf = (hostConfig: HostConfig) => build(hostConfig).spec.mounts;

  test("of the user come parents first and replace the defaults", () => {
    const mounts = mountsOf({
      Binds: ["/a:/data/x", "/b:/data", "/h:/etc/hosts:ro"],
      Tmpfs: { "/dev": "" },
    });
    expect(mounts?.map(({ destination }) => destination)).toEqual([
      "/proc",
      "/sys",
      "/sys/fs/cgroup",
      "/data",
      "/dev",
      "/etc/resolv.conf",
      "/etc/hostname",
      "/data/x",
      "/etc/hosts",
    ]);
    expect(mountAt(mounts, "/etc/hosts")).toEqual({
      destination: "/etc/hosts",
      type: "bind",
      source: "/h",
      options: ["rbind", "rro", "rprivate"],
    });
  });

  test("below a read-only root are read-only, but for those of the kernel and the user", () => {
    const mounts = mountsOf({ ReadonlyRootfs: true, Tmpfs: { "/run": "" } });
    expect(
      mounts?.filter(({ options }) => options?.includes("ro")).map(({ destination }) => destination),
    ).toEqual(["/sys", "/sys/fs/cgroup", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts"]);
  });

  test("that propagate make the root propagate", () => {
    const propagation = (mode: string) => build({ Binds: [`/a:/a:${mode}`] }).spec.linux?.rootfsPropagation;
    expect(propagation("rw")).toBe("rprivate");
    expect(propagation("rslave")).toBe("rslave");
    expect(propagation("shared")).toBe("shared");
  });

  test("of tmpfs have Docker's options unless the user says the opposite", () => {
    const [mount] = mountsOf({ Tmpfs: { "/t": "exec,size=1m,mode=700" } })?.slice(-4) ?? [];
    expect(mount).toMatchObject({ destination: "/t" });
    expect(mount?.options).toEqual(["exec", "nosuid", "nodev", "rprivate", "size=1m", "mode=700"]);
    expect(() => mountsOf({ Tmpfs: { "/t": "fun" } })).toThrow('invalid tmpfs option "fun"');
    expect(() => mountsOf({ Tmpfs: { "/t": "size=" } })).toThrow("invalid tmpfs option");
  });

  test("of --mount", () => {
    const Mounts = [
      {
        Type: "bind",
        Source: "/s",
        Target: "/d",
        ReadOnly: true,
        BindOptions: { NonRecursive: true, Propagation: "rslave" },
      },
      {
        Type: "tmpfs",
        Target: "/t",
        TmpfsOptions: { SizeBytes: 4096, Mode: 0o1777, Options: [["exec"], ["uid", "3"]] },
      },
    ];
    const mounts = mountsOf({ Mounts });
    expect(mountAt(mounts, "/d")?.options).toEqual(["bind", "rro", "rslave"]);
    expect(mountAt(mounts, "/t")?.options).toEqual([
      "exec",
      "nosuid",
      "nodev",
      "rprivate",
      "size=4096",
      "mode=1777",
      "uid=3",
    ]);
  });

  test.each<[HostConfig, string]>([
    [{ Binds: ["data:/data"] }, "volume data: named volumes are not supported yet"],
    [{ Binds: ["/data"] }, "anonymous volumes are not supported yet"],
    [{ Binds: ["./x:/data"] }, 'create ./x: "./x" includes invalid characters for a local volume name'],
    [
      { Binds: ["/a:b"] },
      "invalid volume specification: '/a:b': invalid mount path: 'b' mount path must be absolute",
    ],
    [{ Binds: ["/a:/"] }, "destination can't be '/'"],
    [{ Binds: ["/a:/b:ro:x"] }, "invalid volume specification: '/a:/b:ro:x'"],
    [{ Binds: ["/a:/b:ro,rw"] }, "invalid mode: ro,rw"],
    [{ Binds: ["/a:/b:fast"] }, "invalid mode: fast"],
    [{ Binds: [":/b"] }, "invalid volume specification: ':/b'"],
    [{ Binds: ["/a:/b", "/c:/b/"] }, "Duplicate mount point: /b"],
    [{ Mounts: [{ Type: "volume", Target: "/v" }] }, "mounts of type volume are not supported yet"],
    [{ Mounts: [{ Type: "fun", Target: "/v" }] }, 'mount type unknown: "fun"'],
    [
      { Mounts: [{ Type: "bind", Target: "/v" }] },
      'invalid mount config for type "bind": field Source must not be empty',
    ],
    [{ Mounts: [{ Type: "bind", Source: "/s" }] }, "field Target must not be empty"],
    [{ Mounts: [{ Type: "tmpfs", Source: "/s", Target: "/t" }] }, "field Source must not be specified"],
  ])("case %# is refused", (hostConfig, message) => {
    expect(() => mountsOf(hostConfig)).toThrow(message);
  });
});

describe("namespaces", () => {
  const typesOf = (hostConfig: HostConfig, input: Partial<SpecInput> = {}) =>
    build(hostConfig, {}, input).spec.linux?.namespaces;

  test("of the host are left out", () => {
    const shared = {
      NetworkMode: "host",
      PidMode: "host",
      IpcMode: "host",
      UTSMode: "host",
      CgroupnsMode: "host",
    };
    const { spec } = build(shared);
    expect(spec.linux?.namespaces).toEqual([{ type: "mount" }]);
    expect(spec.hostname).toBeUndefined();
    expect(spec.linux?.sysctl).toEqual({});
    expect(mountAt(spec.mounts, "/dev/shm")).toMatchObject({ type: "bind", source: "/dev/shm" });
    expect(mountAt(spec.mounts, "/dev/mqueue")?.type).toBe("mqueue");
  });

  test("that are prepared are joined", () => {
    expect(typesOf({}, { netnsPath: "/n" })).toContainEqual({ type: "network", path: "/n" });
    const joinedNamespaces = { pid: "/proc/7/ns/pid" };
    expect(typesOf({ PidMode: "container:x" }, { joinedNamespaces })).toContainEqual({
      type: "pid",
      path: "/proc/7/ns/pid",
    });
    expect(() => typesOf({ PidMode: "container:x" })).toThrow(
      "--pid container:x: joining another container's namespace",
    );
  });
});

describe("limits", () => {
  test("become the spec's, with the user's words", () => {
    const { spec, origins } = build({
      Memory: 268435456,
      NanoCpus: 2e9,
      CpuShares: 512,
      CpusetCpus: "0,1",
      PidsLimit: 10,
      BlkioWeight: 300,
    });
    expect(spec.linux?.resources).toMatchObject({
      memory: { limit: 268435456, swap: 536870912 },
      cpu: { quota: 200000, period: 100000, shares: 512, cpus: "0,1" },
      pids: { limit: 10 },
      blockIO: { weight: 300 },
    });
    expect(origins.get("/linux/resources/memory/limit")).toBe("--memory 256m");
    expect(origins.get("/linux/resources/cpu/quota")).toBe("--cpus 2");
  });

  test("of devices", () => {
    const sda = { path: "/dev/sda", type: "b", major: 8, minor: 0, mode: 0o660, uid: 0, gid: 6 } as const;
    const { spec, origins } = build(
      {
        BlkioDeviceWriteBps: [{ Path: "/dev/sda", Rate: 1048576 }],
        Devices: [{ PathOnHost: "/dev/sda", PathInContainer: "/dev/disk", CgroupPermissions: "r" }],
        DeviceCgroupRules: ["c 42:* rmw"],
      },
      {},
      { devices: new Map([["/dev/sda", [sda]]]) },
    );
    expect(spec.linux?.resources?.blockIO?.throttleWriteBpsDevice).toEqual([
      { major: 8, minor: 0, rate: 1048576 },
    ]);
    expect(spec.linux?.devices).toEqual([
      { path: "/dev/disk", type: "b", major: 8, minor: 0, fileMode: 0o660, uid: 0, gid: 6 },
    ]);
    expect(spec.linux?.resources?.devices?.slice(-2)).toEqual([
      { allow: true, type: "b", major: 8, minor: 0, access: "r" },
      { allow: true, type: "c", major: 42, access: "rmw" },
    ]);
    expect(origins.get("/linux/devices/0")).toBe("--device /dev/sda:/dev/disk:r");
    expect(() => build({ DeviceCgroupRules: ["c 42 r"] })).toThrow(
      "invalid device cgroup rule format: 'c 42 r'",
    );
    expect(() => build({ Devices: [{ PathOnHost: "/dev/x" }] })).toThrow(
      'error gathering device information while adding custom device "/dev/x": not a device node',
    );
  });
});

describe("security options", () => {
  const options = (...SecurityOpt: string[]) => build({ SecurityOpt }).spec;

  test("are carried out", () => {
    expect(options("no-new-privileges").process?.noNewPrivileges).toBe(true);
    expect(options("no-new-privileges:false").process?.noNewPrivileges).toBeUndefined();
    expect(options("seccomp=unconfined").linux?.seccomp).toBeUndefined();
    expect(options("seccomp=builtin").linux?.seccomp?.syscalls?.length).toBeGreaterThan(5);
    expect(options('seccomp={"defaultAction":"SCMP_ACT_LOG"}').linux?.seccomp?.defaultAction).toBe(
      "SCMP_ACT_LOG",
    );
    expect(options("systempaths=unconfined").linux?.maskedPaths).toEqual([]);
    expect(options("apparmor=unconfined").process?.apparmorProfile).toBeUndefined();
    expect(options("apparmor=mine").process?.apparmorProfile).toBe("mine");
    expect(options("label=disable").process?.selinuxLabel).toBeUndefined();
  });

  test.each([
    ["fun", 'invalid --security-opt 1: "fun"'],
    ["fun=1", 'invalid --security-opt 2: "fun=1"'],
    ["no-new-privileges=maybe", 'invalid --security-opt 2: "no-new-privileges=maybe"'],
    ["seccomp={", "Decoding seccomp profile failed"],
    ["label=type:x", "SELinux labels are not supported"],
  ])("%s is refused", (option, message) => {
    expect(() => options(option)).toThrow(message);
  });

  test("own lists of paths replace the default ones", () => {
    const { spec } = build({ MaskedPaths: ["/proc/x"], ReadonlyPaths: [] });
    expect([spec.linux?.maskedPaths, spec.linux?.readonlyPaths]).toEqual([["/proc/x"], []]);
  });
});

describe("a process of exec", () => {
  const input = testInput({
    host: { ...testHost, cgroup: versionOne },
    config: { User: "web", Env: ["A=b"] },
  });
  const { spec } = buildSpec(input);
  const exec = (config: object) => buildExecProcess({ ...input, exec: config, spec, hostname: "h" }).process;

  test("has the container's user, privileges and variables", () => {
    const process = exec({ Cmd: ["ps"] });
    expect(process).toMatchObject({
      args: ["ps"],
      user: { uid: 33 },
      cwd: "/",
      capabilities: spec.process?.capabilities,
    });
    expect(process.env).toContain("A=b");
    expect(process.env).toContain("HOME=/var/www");
  });

  test("or its own", () => {
    const process = exec({
      Cmd: ["ps"],
      User: "0",
      Env: ["A=c"],
      WorkingDir: "/w",
      Tty: true,
      Privileged: true,
    });
    expect(process).toMatchObject({ terminal: true, user: { uid: 0 }, cwd: "/w" });
    expect(process.env).toContain("A=c");
    expect(process.env).toContain("TERM=xterm");
    expect(process.env).toContain("HOME=/root");
    expect(process.capabilities?.bounding).toHaveLength(41);
    expect(() => exec({})).toThrow("No exec command specified");
  });
});

test("what the image wishes and nobody carries out yet is a warning", () => {
  const image = { Cmd: ["x"], Volumes: { "/data": {} }, Healthcheck: { Test: ["CMD", "true"] } };
  expect(buildSpec(testInput({ image })).warnings).toEqual([
    "volumes of the image are not supported yet: /data is part of the container",
    "the health check of the image is not supported yet",
  ]);
});
