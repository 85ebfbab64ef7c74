import { describe, expect, test } from "bun:test";
import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";
import { testHost, versionTwo } from "../../runtime/plan/testing/test-host.ts";
import type { ContainerConfig, HostConfig } from "./docker-config.ts";
import { mergeImageConfig } from "./merge-image-config.ts";
import { readContainerConfig, readHostConfig } from "./parse-docker-config.ts";
import { prepareHostConfig } from "./prepare-host-config.ts";
import { refuseUnbuiltConfig } from "./refuse-unbuilt.ts";

const MB = 1024 * 1024;
const prepare = (config: HostConfig, cgroup: CgroupFacts = versionTwo) =>
  prepareHostConfig(config, { ...testHost, cgroup });

describe("defaults", () => {
  test("are Docker's", () => {
    expect(prepare({}).hostConfig).toMatchObject({
      ShmSize: 64 * MB,
      IpcMode: "private",
      CgroupnsMode: "private",
    });
    expect(prepare({ Memory: 10 * MB }).hostConfig.MemorySwap).toBe(20 * MB);
    expect(prepare({ Memory: 10 * MB, MemorySwap: -1 }).hostConfig.MemorySwap).toBe(-1);
  });

  test("leave out, with a warning, what the host cannot do", () => {
    const poor: CgroupFacts = {
      ...versionTwo,
      controllers: ["cpu"],
      swapAccounting: false,
      weightFile: undefined,
    };
    const { hostConfig, warnings } = prepare(
      { Memory: 10 * MB, PidsLimit: 5, OomKillDisable: true, MemorySwappiness: 3, BlkioWeight: 20 },
      poor,
    );
    expect(hostConfig).toMatchObject({
      Memory: 0,
      PidsLimit: 0,
      OomKillDisable: false,
      MemorySwappiness: -1,
      BlkioWeight: 0,
    });
    expect(warnings.join("\n")).toContain("Your kernel does not support memory limit capabilities");
    expect(warnings).toHaveLength(5);
    const noSwap = prepare({ Memory: 10 * MB }, { ...versionTwo, swapAccounting: false });
    expect(noSwap.hostConfig.MemorySwap).toBe(-1);
    expect(noSwap.warnings[0]).toContain("Memory limited without swap.");
  });
});

test.each<[HostConfig, string]>([
  [{ Memory: 4 * MB }, "Minimum memory limit allowed is 6MB"],
  [
    { Memory: 10 * MB, MemorySwap: 9 * MB },
    "Minimum memoryswap limit should be larger than memory limit, see usage",
  ],
  [{ MemorySwap: 10 * MB }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [{ MemoryReservation: MB }, "Minimum memory reservation allowed is 6MB"],
  [
    { Memory: 10 * MB, MemoryReservation: 11 * MB },
    "Minimum memory limit can not be less than memory reservation limit",
  ],
  [{ MemorySwappiness: 101 }, "Invalid value: 101, valid memory swappiness range is 0-100"],
  [{ NanoCpus: 5e9 }, "Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"],
  [{ NanoCpus: 1e6 }, "Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"],
  [{ NanoCpus: -1 }, "Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"],
  [{ NanoCpus: 1e9, CpuPeriod: 5000 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
  [{ NanoCpus: 1e9, CpuQuota: 5000 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
  [{ CpuPeriod: 10 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{ CpuQuota: 10 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
  [{ CpusetCpus: "4" }, "Requested CPUs are not available - requested 4, available: 0-3"],
  [{ CpusetCpus: "a" }, "Invalid value a for cpuset cpus"],
  [{ CpusetMems: "1" }, "Requested memory nodes are not available - requested 1, available: 0"],
  [{ BlkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
  [{ OomScoreAdj: 1001 }, "Invalid value 1001, range for oom score adj is [-1000, 1000]"],
  [{ ShmSize: -1 }, "SHM size can not be less than 0"],
  [{ IpcMode: "fun" }, "invalid IPC mode: fun"],
  [{ PidMode: "fun" }, "invalid PID mode: fun"],
  [{ UTSMode: "fun" }, "invalid UTS mode: fun"],
  [{ CgroupnsMode: "fun" }, "invalid cgroup namespace mode: fun"],
  [{ Runtime: "fun" }, "unknown or invalid runtime name: fun"],
  [{ VolumesFrom: ["a"] }, "HostConfig.VolumesFrom (--volumes-from) is not supported"],
  [{ DeviceRequests: [{}] }, "HostConfig.DeviceRequests (--gpus) is not supported"],
  [{ StorageOpt: { size: "1g" } }, "HostConfig.StorageOpt (--storage-opt) is not supported"],
  [{ RestartPolicy: { Name: "always" } }, "HostConfig.RestartPolicy (--restart always) is not supported"],
  [{ Isolation: "hyperv" }, "invalid isolation 'hyperv' on linux"],
])("case %# is refused", (config, message) => {
  expect(() => prepare(config)).toThrow(message);
});

test("what clients send for nothing is nothing", () => {
  const sent = {
    VolumeDriver: "",
    VolumesFrom: null,
    Links: [],
    DeviceRequests: [],
    StorageOpt: {},
    CpuRealtimePeriod: 0,
    Isolation: "default",
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    OomKillDisable: false,
    MemorySwappiness: -1,
  };
  expect(() => prepare(readHostConfig(sent, "HostConfig"))).not.toThrow();
});

test.each<[ContainerConfig, string]>([
  [{ Healthcheck: { Test: ["CMD", "true"] } }, "Healthcheck (--health-cmd) is not supported"],
  [{ Volumes: { "/v": {} } }, "volume /v: anonymous volumes are not supported yet"],
  [{ NetworkDisabled: true }, "NetworkDisabled is not supported"],
  [{ MacAddress: "02:42:ac:11:00:02" }, "MacAddress (--mac-address) is not supported"],
])("of the configuration, case %# is refused", (config, message) => {
  expect(() => refuseUnbuiltConfig(config)).toThrow(message);
  expect(() => refuseUnbuiltConfig({ Healthcheck: { Test: ["NONE"] }, Volumes: {} })).not.toThrow();
});

describe("requests", () => {
  test("are read with Docker's looseness", () => {
    expect(readContainerConfig({ Cmd: "ls", Entrypoint: null, Tty: true, More: 1 }, "")).toEqual({
      Cmd: ["ls"],
      Tty: true,
    });
  });

  test.each<[() => unknown, string]>([
    [() => readHostConfig({ Memory: "1g" }, "HostConfig"), "HostConfig.Memory: expected an integer"],
    [() => readHostConfig({ Binds: "a" }, "HostConfig"), "HostConfig.Binds: expected an array"],
    [() => readContainerConfig({ Env: [1] }, ""), "Env[0]: expected a string, got 1"],
    [() => readContainerConfig([], ""), "the document: expected an object"],
  ])("case %# is refused", (run, message) => {
    expect(run).toThrow(message);
  });
});

describe("an image's configuration", () => {
  const image = {
    Cmd: ["serve"],
    Entrypoint: ["/entry"],
    Env: ["A=1", "B=2"],
    WorkingDir: "/app",
    User: "web",
    Labels: { a: "image", b: "image" },
    Healthcheck: { Test: ["CMD", "x"] },
  };

  test("fills what the user left open", () => {
    expect(mergeImageConfig({ Env: ["B=3"], Labels: { b: "user" } }, image)).toMatchObject({
      Entrypoint: ["/entry"],
      Cmd: ["serve"],
      Env: ["B=3", "A=1"],
      WorkingDir: "/app",
      User: "web",
      Labels: { a: "image", b: "user" },
      Healthcheck: { Test: ["CMD", "x"] },
    });
  });

  test.each([
    [{ Cmd: ["ls"] }, ["/entry"], ["ls"]],
    [{ Entrypoint: ["/mine"] }, ["/mine"], []],
    [{ Entrypoint: ["/mine"], Cmd: ["x"] }, ["/mine"], ["x"]],
    [{ Entrypoint: [""] }, [], []],
    [{ Entrypoint: [""], Cmd: ["x"] }, [], ["x"]],
    [{ Entrypoint: [] }, [], ["serve"]],
  ])("gives %j entrypoint %j and command %j", (user, entrypoint, cmd) => {
    expect(mergeImageConfig(user, image)).toMatchObject({ Entrypoint: entrypoint, Cmd: cmd });
  });
});
