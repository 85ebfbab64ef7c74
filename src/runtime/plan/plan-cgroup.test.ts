import { describe, expect, test } from "bun:test";
import type { OciResources, OciSpec } from "../../formats/oci-runtime.ts";
import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";
import type { HostOperation, KernelStep } from "../../kernel/steps.ts";
import { resolveCgroupPath } from "./cgroup-path.ts";
import { cpuWeight, ioWeight } from "./cgroup-values.ts";
import { planContainer } from "./plan-container.ts";
import { testHost, versionOne, versionTwo } from "./testing/test-host.ts";

function hostSteps(resources: OciResources, cgroup: CgroupFacts, cgroupsPath = "/g/c1"): KernelStep[] {
  const spec: OciSpec = {
    ociVersion: "1.3.0",
    root: { path: "/r" },
    process: { cwd: "/", args: ["sh"] },
    linux: { namespaces: [{ type: "mount" }], cgroupsPath, resources },
  };
  const { steps } = planContainer(spec, { ...testHost, cgroup }, { containerId: "c1", bundle: "/" });
  return steps.filter(({ phase }) => phase === "host");
}

/** `FILE=VALUE`, without the mount and the devices. */
const writes = (resources: OciResources, cgroup: CgroupFacts): string[] =>
  hostSteps(resources, cgroup).flatMap((step) =>
    step.op === "write-cgroup" && !step.file.includes("/devices.")
      ? [`${step.file.replace(/^.*\/g\/c1\//, "")}=${step.value}`]
      : [],
  );

const memory = { limit: 268435456, swap: 536870912, reservation: 134217728 };
const cpu = { shares: 512, quota: 200000, period: 100000, cpus: "0-1", mems: "0" };
const blockIO = {
  weight: 500,
  throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1048576 }],
  throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 100 }],
};
const all: OciResources = { memory, cpu, blockIO, pids: { limit: 100 } };

describe("limits", () => {
  test("on v1", () => {
    expect(writes(all, versionOne)).toEqual([
      "memory.limit_in_bytes=268435456",
      "memory.memsw.limit_in_bytes=536870912",
      "memory.soft_limit_in_bytes=134217728",
      "cpu.shares=512",
      "cpu.cfs_period_us=100000",
      "cpu.cfs_quota_us=200000",
      "cpuset.cpus=0-1",
      "cpuset.mems=0",
      "pids.max=100",
      "blkio.weight=500",
      "blkio.throttle.read_bps_device=8:0 1048576",
      "blkio.throttle.write_iops_device=8:16 100",
    ]);
  });

  test("on v2", () => {
    expect(writes(all, versionTwo)).toEqual([
      "memory.max=268435456",
      "memory.low=134217728",
      "memory.swap.max=268435456",
      "cpu.weight=59",
      "cpu.max=200000 100000",
      "cpuset.cpus=0-1",
      "cpuset.mems=0",
      "pids.max=100",
      "io.weight=4950",
      "io.max=8:0 rbps=1048576",
      "io.max=8:16 wiops=100",
    ]);
  });

  test.each([
    [
      { memory: { limit: -1 } },
      ["memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"],
      ["memory.max=max", "memory.swap.max=max"],
    ],
    [
      { memory: { limit: 1024, swap: -1 } },
      ["memory.limit_in_bytes=1024", "memory.memsw.limit_in_bytes=-1"],
      ["memory.max=1024", "memory.swap.max=max"],
    ],
    [
      { memory: { limit: 1024, swap: 1024 } },
      ["memory.limit_in_bytes=1024", "memory.memsw.limit_in_bytes=1024"],
      ["memory.max=1024", "memory.swap.max=0"],
    ],
    [{ pids: { limit: -1 } }, ["pids.max=max"], ["pids.max=max"]],
    [{ pids: { limit: 0 } }, ["pids.max=0"], ["pids.max=0"]],
    [{ cpu: { quota: -1 } }, ["cpu.cfs_quota_us=-1"], ["cpu.max=max 100000"]],
    [{ cpu: { period: 50000 } }, ["cpu.cfs_period_us=50000"], ["cpu.max=max 50000"]],
    [
      { memory: { limit: (1n << 63n) - 1n } },
      ["memory.limit_in_bytes=9223372036854775807"],
      ["memory.max=9223372036854775807"],
    ],
  ])("special values, case %#", (resources, v1, v2) => {
    expect(writes(resources, versionOne)).toEqual(v1);
    expect(writes(resources, versionTwo)).toEqual(v2);
  });

  test("an idle cgroup gets no weight", () => {
    expect(writes({ cpu: { idle: 1, shares: 512 } }, versionTwo)).toEqual(["cpu.idle=1"]);
  });

  test("unified files are written last and line by line", () => {
    const unified = { "memory.high": "100M", "io.max": "8:0 rbps=1\n8:16 rbps=2" };
    expect(writes({ memory: { limit: 1024 }, unified }, versionTwo)).toEqual([
      "memory.max=1024",
      "memory.high=100M",
      "io.max=8:0 rbps=1",
      "io.max=8:16 rbps=2",
    ]);
  });

  test("huge pages and rdma", () => {
    const resources = {
      hugepageLimits: [{ pageSize: "2MB", limit: 4096 }],
      rdma: { mlx5_0: { hcaHandles: 3 } },
    };
    expect(writes(resources, versionTwo)).toEqual([
      "hugetlb.2MB.max=4096",
      "hugetlb.2MB.rsvd.max=4096",
      "rdma.max=mlx5_0 hca_handle=3",
    ]);
  });
});

describe("refused by name", () => {
  const withoutMemory = { ...versionTwo, controllers: ["cpu", "pids"] } as CgroupFacts;
  test.each<[string, OciResources, CgroupFacts, string]>([
    [
      "a missing controller",
      { memory: { limit: 1024 } },
      withoutMemory,
      "linux.resources.memory.limit: the cgroup controller memory is not available",
    ],
    [
      "a missing controller on v1",
      { hugepageLimits: [{ pageSize: "2MB", limit: 1 }] },
      versionOne,
      "controller hugetlb is not available",
    ],
    [
      "swap below memory",
      { memory: { limit: 2048, swap: 1024 } },
      versionTwo,
      "swap: 1024 is smaller than the memory limit 2048",
    ],
    [
      "swap below memory on v1",
      { memory: { limit: 2048, swap: 1024 } },
      versionOne,
      "swap: 1024 is smaller than the memory limit 2048",
    ],
    ["swap without memory", { memory: { swap: 1024 } }, versionTwo, "swap: needs a memory limit"],
    [
      "swappiness on v2",
      { memory: { swappiness: 10 } },
      versionTwo,
      "memory.swappiness: cgroup v2 has no such limit",
    ],
    [
      "real time on v2",
      { cpu: { realtimeRuntime: 10 } },
      versionTwo,
      "cpu.realtimeRuntime: cgroup v2 has no such limit",
    ],
    [
      "net_cls on v2",
      { network: { classID: 1 } },
      versionTwo,
      "network.classID: cgroup v2 has no such limit",
    ],
    [
      "unified on v1",
      { unified: { "memory.high": "1" } },
      versionOne,
      "unified: cgroup v1 has no such limit",
    ],
    ["a path in unified", { unified: { "../memory.high": "1" } }, versionTwo, "is no file name of a cgroup"],
    ["kernel memory", { memory: { kernel: 5 } }, versionOne, "memory.kernel: cgroup v1 has no such limit"],
    ["anything without cgroups", { pids: { limit: 5 } }, { version: 0 }, "this host has no cgroups"],
  ])("%s", (_, resources, cgroup, message) => {
    expect(() => hostSteps(resources, cgroup)).toThrow(message);
  });
});

describe("directories", () => {
  const operations = (cgroup: CgroupFacts) =>
    hostSteps({}, cgroup)
      .filter(({ op }) => op !== "write-cgroup" && op !== "attach-device-filter")
      .map(({ phase: _phase, reason: _reason, ...step }) => step as HostOperation);

  test("on v1 one in each hierarchy, and cpusets filled from the top", () => {
    const steps = operations(versionOne);
    expect(steps.filter(({ op }) => op === "make-cgroup")).toHaveLength(9);
    expect(steps.slice(-2)).toEqual([
      { op: "inherit-cpuset", path: "/sys/fs/cgroup/cpuset/g" },
      { op: "inherit-cpuset", path: "/sys/fs/cgroup/cpuset/g/c1" },
    ]);
  });

  test("on v2 controllers are enabled above each of them", () => {
    const controllers = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"];
    expect(operations(versionTwo)).toEqual([
      { op: "enable-controllers", path: "/sys/fs/cgroup", controllers },
      { op: "make-cgroup", path: "/sys/fs/cgroup/g" },
      { op: "enable-controllers", path: "/sys/fs/cgroup/g", controllers },
      { op: "make-cgroup", path: "/sys/fs/cgroup/g/c1" },
    ]);
  });

  test("on v2 devices are a program, unless everything is allowed", () => {
    const ops = (resources: OciResources) => hostSteps(resources, versionTwo).map(({ op }) => op);
    expect(ops({})).toContain("attach-device-filter");
    expect(ops({ devices: [{ allow: true, access: "rwm" }] })).not.toContain("attach-device-filter");
  });

  test.each([
    [undefined, "/gantry/c1"],
    ["", "/gantry/c1"],
    ["/a/b/", "/a/b"],
    ["a/b", "/gantry/a/b"],
    ["/../../etc", "/etc"],
    ["../x", "/x"],
  ])("cgroupsPath %p is %p", (path, wanted) => {
    expect(resolveCgroupPath(path, "c1")).toBe(wanted);
  });

  test("the root and systemd's form are refused", () => {
    expect(() => resolveCgroupPath("/", "c1")).toThrow("the root cgroup cannot be a container's own");
    expect(() => resolveCgroupPath("system.slice:docker:c1", "c1")).toThrow("systemd");
  });
});

test.each([
  [2, 1],
  [1024, 100],
  [512, 59],
  [262144, 10000],
  [1_000_000, 10000],
])("%d shares weigh %d", (shares, weight) => {
  expect(cpuWeight(shares)).toBe(weight);
});

test.each([
  [10, 1],
  [500, 4950],
  [1000, 10000],
])("blkio weight %d is io weight %d", (weight, wanted) => {
  expect(ioWeight(weight)).toBe(wanted);
});
