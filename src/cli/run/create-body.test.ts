import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseFlags } from "../flags.ts";
import { processContext } from "../process-context.ts";
import { containerFlags } from "./container-flags.ts";
import { createBody } from "./create-body.ts";

function bodyOf(argv: readonly string[], detached = false) {
  const { values, args } = parseFlags(containerFlags(), argv, { interspersed: false });
  const [image = "", ...command] = args;
  return createBody({
    flags: values,
    image,
    command,
    detached,
    env: { HOME: "/root" },
    files: processContext().files,
    consoleSize: { rows: 24, columns: 80 },
  });
}

test("nothing that was not asked for is sent", () => {
  expect(bodyOf(["busybox"])).toEqual({
    Image: "busybox",
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    HostConfig: { NetworkMode: "default" },
  });
});

/** What Docker's client 28.2 sends for the same flags. */
test.each<readonly [readonly string[], object]>([
  [["-i"], { AttachStdin: true, OpenStdin: true, StdinOnce: true }],
  [["-it"], { Tty: true, HostConfig: { ConsoleSize: [24, 80] } }],
  [["-t", "-a", "stdin", "-a", "STDERR"], { AttachStdin: true, AttachStdout: false, AttachStderr: true }],
  [["-e", "A=1", "-e", "HOME", "-e", "NOPE"], { Env: ["A=1", "HOME=/root", "NOPE"] }],
  [["-w", "/w", "-u", "1:2", "-h", "hh"], { WorkingDir: "/w", User: "1:2", Hostname: "hh" }],
  [["--no-healthcheck"], { Healthcheck: { Test: ["NONE"] } }],
  [
    ["--device-write-bps", "/dev/a:1mb", "--device-read-bps", "/dev/a:2k", "--device-read-iops", "/dev/b:3"],
    {
      HostConfig: {
        BlkioDeviceWriteBps: [{ Path: "/dev/a", Rate: 1 << 20 }],
        BlkioDeviceReadBps: [{ Path: "/dev/a", Rate: 2048 }],
        BlkioDeviceReadIOps: [{ Path: "/dev/b", Rate: 3 }],
      },
    },
  ],
  [
    ["--blkio-weight", "20", "--blkio-weight-device", "/dev/a:30", "--device-write-iops", "/dev/a:4"],
    {
      HostConfig: {
        BlkioWeight: 20,
        BlkioWeightDevice: [{ Path: "/dev/a", Weight: 30 }],
        BlkioDeviceWriteIOps: [{ Path: "/dev/a", Rate: 4 }],
      },
    },
  ],
  [
    ["--memory-swappiness", "7", "--oom-kill-disable", "--cgroup-parent", "/p", "--userns", "host"],
    { HostConfig: { MemorySwappiness: 7, OomKillDisable: true, CgroupParent: "/p", UsernsMode: "host" } },
  ],
  [["--device-cgroup-rule", "c 1:3 rwm"], { HostConfig: { DeviceCgroupRules: ["c 1:3 rwm"] } }],
  [["--entrypoint", ""], { Entrypoint: [""] }],
  [["-l", "a=b", "--label", "c"], { Labels: { a: "b", c: "" } }],
  [["--stop-signal", "TERM", "--stop-timeout", "3"], { StopSignal: "TERM", StopTimeout: 3 }],
  [["-v", "/a:/b:ro", "-v", "/c"], { Volumes: { "/c": {} }, HostConfig: { Binds: ["/a:/b:ro"] } }],
  [
    ["-p", "8080:80", "-p", "127.0.0.1:81:80", "--expose", "99"],
    {
      ExposedPorts: { "80/tcp": {}, "99/tcp": {} },
      HostConfig: {
        PortBindings: {
          "80/tcp": [
            { HostIp: "", HostPort: "8080" },
            { HostIp: "127.0.0.1", HostPort: "81" },
          ],
        },
      },
    },
  ],
  [
    ["-m", "256m", "--memory-swap", "-1", "--cpus", "1.5", "--pids-limit", "5", "--shm-size", "64m"],
    {
      HostConfig: {
        Memory: 268435456,
        MemorySwap: -1,
        NanoCpus: 1500000000,
        PidsLimit: 5,
        ShmSize: 67108864,
      },
    },
  ],
  [
    ["--cap-add", "net_admin", "--cap-add", "CAP_SYS_TIME", "--cap-drop", "all"],
    { HostConfig: { CapAdd: ["CAP_NET_ADMIN", "CAP_SYS_TIME"], CapDrop: ["ALL"] } },
  ],
  [
    ["--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined"],
    { HostConfig: { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] } },
  ],
  [["--security-opt", "systempaths=unconfined"], { HostConfig: { MaskedPaths: [], ReadonlyPaths: [] } }],
  [
    ["--tmpfs", "/run:rw,size=1m", "--tmpfs", "/x"],
    { HostConfig: { Tmpfs: { "/run": "rw,size=1m", "/x": "" } } },
  ],
  [
    ["--ulimit", "nofile=10:20", "--ulimit", "core=-1"],
    {
      HostConfig: {
        Ulimits: [
          { Name: "core", Hard: -1, Soft: -1 },
          { Name: "nofile", Hard: 20, Soft: 10 },
        ],
      },
    },
  ],
  [
    ["--log-opt", "max-size=10m", "--log-driver", "local"],
    { HostConfig: { LogConfig: { Type: "local", Config: { "max-size": "10m" } } } },
  ],
  [
    ["--network", "host", "--pid", "host", "--uts", "host"],
    { HostConfig: { NetworkMode: "host", PidMode: "host" } },
  ],
  [["--net", "none"], { HostConfig: { NetworkMode: "none" } }],
  [["--sysctl", "net.ipv4.ip_forward=1"], { HostConfig: { Sysctls: { "net.ipv4.ip_forward": "1" } } }],
  [
    ["--rm", "--init", "--privileged", "--read-only", "-P"],
    {
      HostConfig: {
        AutoRemove: true,
        Init: true,
        Privileged: true,
        ReadonlyRootfs: true,
        PublishAllPorts: true,
      },
    },
  ],
])("%p", (argv, wanted) => {
  expect(bodyOf([...argv, "busybox"])).toMatchObject(wanted);
});

test("the command follows the image, flags and all", () => {
  expect(bodyOf(["busybox", "ls", "-l", "--", "-x"])).toMatchObject({ Cmd: ["ls", "-l", "--", "-x"] });
});

test("a detached container keeps its input open without waiting for one client", () => {
  expect(bodyOf(["-i", "busybox"], true)).toMatchObject({
    AttachStdin: false,
    AttachStdout: false,
    OpenStdin: true,
    StdinOnce: false,
  });
});

test.each<readonly [readonly string[], string]>([
  [["--pid", "foo"], "--pid: invalid PID mode"],
  [["--pid", "container:"], "--pid: invalid PID mode"],
  [["--uts", "foo"], "--uts: invalid UTS mode"],
  [["--cgroupns", "x"], "--cgroupns: invalid CGROUP mode"],
  [["--log-driver", "none", "--log-opt", "a=b"], "invalid logging opts for driver none"],
  [["--env-file", "/nonexistent"], "open /nonexistent: no such file or directory"],
  [["--security-opt", "seccomp=/nonexistent"], "opening seccomp profile (/nonexistent) failed"],
  [["--security-opt", "foo"], 'Invalid --security-opt: "foo"'],
])("%p is refused before the engine is asked", (argv, message) => {
  expect(() => bodyOf([...argv, "busybox"])).toThrow(message);
});

test.each<readonly [readonly string[], string]>([
  [["-e", "=a"], "invalid environment variable: =a"],
  [["-a", "foo"], "valid streams are STDIN, STDOUT and STDERR"],
  [["-l", "=x"], "invalid label '=x': empty name"],
  [["--sysctl", "a.b=1"], "sysctl 'a.b=1' is not allowed"],
  [["--dns", "foo"], "IP address is not correctly formatted: foo"],
])("%p is an error of the flag", (argv, message) => {
  expect(() => bodyOf([...argv, "busybox"])).toThrow(message);
});

test("files of the client are read by the client", () => {
  const directory = mkdtempSync(join(tmpdir(), "create-body-"));
  try {
    const envFile = join(directory, "env");
    const profile = join(directory, "seccomp.json");
    writeFileSync(envFile, "# comment\n\nA=from file\n  HOME\n");
    writeFileSync(profile, '{ "defaultAction": "SCMP_ACT_ALLOW" }');
    const body = bodyOf([
      "--env-file",
      envFile,
      "-e",
      "B=2",
      "--security-opt",
      `seccomp=${profile}`,
      "busybox",
    ]);
    expect(body).toMatchObject({
      Env: ["A=from file", "HOME=/root", "B=2"],
      HostConfig: { SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] },
    });
    writeFileSync(envFile, "A B=1\n");
    expect(() => bodyOf(["--env-file", envFile, "busybox"])).toThrow("variable 'A B' contains whitespaces");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("relative sources are taken from the working directory", () => {
  const body = bodyOf(["-v", "./x:/x", "--mount", "type=bind,src=./y,dst=/y", "busybox"]);
  expect(body).toMatchObject({
    HostConfig: { Binds: [`${process.cwd()}/x:/x`], Mounts: [{ Source: `${process.cwd()}/y` }] },
  });
});
