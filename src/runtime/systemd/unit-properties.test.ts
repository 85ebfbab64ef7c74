import { describe, expect, test } from "bun:test";
import type { OciDeviceRule, OciResources, OciSpec } from "../../formats/oci-runtime.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import type { SystemdFacts, UnitProperty } from "../../kernel/systemd/service-manager.ts";
import { resolveDeviceRules } from "../plan/device-rules.ts";
import { planContainer } from "../plan/plan-container.ts";
import { testHost, versionOne } from "../plan/testing/test-host.ts";
import { annotationProperties } from "./annotation-properties.ts";
import { deviceProperties } from "./device-properties.ts";
import { limitProperties } from "./limit-properties.ts";

/** `NAME=VALUE`. */
const shown = (properties: readonly UnitProperty[]) =>
  properties.map(({ name, signature, value }) => `${name}=${signature} ${value}`);

const infinity = 2n ** 64n - 1n;

describe("limits of cgroup v2 as properties", () => {
  test.each<[OciResources, string[]]>([
    [{}, []],
    [{ memory: { limit: 67108864 } }, ["MemoryMax=t 67108864"]],
    [{ memory: { limit: -1 } }, [`MemoryMax=t ${infinity}`, `MemorySwapMax=t ${infinity}`]],
    [{ memory: { reservation: 1024 } }, ["MemoryLow=t 1024"]],
    [{ memory: { limit: 100, swap: 300 } }, ["MemoryMax=t 100", "MemorySwapMax=t 200"]],
    [{ memory: { limit: 100, swap: 100 } }, ["MemoryMax=t 100", "MemorySwapMax=t 0"]],
    [{ memory: { limit: 100, swap: -1 } }, ["MemoryMax=t 100", `MemorySwapMax=t ${infinity}`]],
    [{ cpu: { shares: 512 } }, ["CPUWeight=t 59"]],
    [{ cpu: { shares: 512, idle: 1 } }, ["CPUWeight=t 0"]],
    [{ cpu: { quota: 50000 } }, ["CPUQuotaPerSecUSec=t 500000"]],
    [
      { cpu: { quota: 50000, period: 200000 } },
      ["CPUQuotaPeriodUSec=t 200000", "CPUQuotaPerSecUSec=t 250000"],
    ],
    [
      { cpu: { quota: 12345, period: 100000 } },
      ["CPUQuotaPeriodUSec=t 100000", "CPUQuotaPerSecUSec=t 130000"],
    ],
    [{ cpu: { quota: -1 } }, [`CPUQuotaPerSecUSec=t ${infinity}`]],
    [{ cpu: { period: 50000 } }, ["CPUQuotaPeriodUSec=t 50000", `CPUQuotaPerSecUSec=t ${infinity}`]],
    [{ pids: { limit: 20 } }, ["TasksMax=t 20"]],
    [{ pids: { limit: -1 } }, [`TasksMax=t ${infinity}`]],
    [{ pids: { limit: 0 } }, []],
    [{ blockIO: { weight: 500 } }, ["IOWeight=t 4950"]],
    [
      { cpu: { cpus: "0-2,9", mems: "1" } },
      ["AllowedCPUs=ay 7,2,0,0,0,0,0,0", "AllowedMemoryNodes=ay 2,0,0,0,0,0,0,0"],
    ],
    [
      { unified: { "memory.high": "1024", "memory.min": "max" } },
      ["MemoryHigh=t 1024", `MemoryMin=t ${infinity}`],
    ],
    [
      { unified: { "cpu.max": "10000 50000" } },
      ["CPUQuotaPeriodUSec=t 50000", "CPUQuotaPerSecUSec=t 200000"],
    ],
    [{ unified: { "cpu.max": "max" } }, [`CPUQuotaPerSecUSec=t ${infinity}`]],
    [
      { unified: { "cpuset.mems": "0", "pids.max": "5", "cpu.weight": "10" } },
      ["AllowedMemoryNodes=ay 1,0,0,0,0,0,0,0", "TasksMax=t 5", "CPUWeight=t 10"],
    ],
    [{ unified: { "hugetlb.2MB.max": "0", "cgroup.freeze": "0" } }, []],
    // What is said by the kernel's own word comes later, and wins.
    [{ memory: { limit: 100 }, unified: { "memory.max": "200" } }, ["MemoryMax=t 200"]],
  ])("%j", (resources, properties) => {
    expect(shown(limitProperties(resources, 2, 252))).toEqual(properties);
  });

  test("that an older systemd does not know are not told to it", () => {
    const resources = { cpu: { cpus: "0", period: 100000, quota: 50000, idle: 1 } };
    expect(shown(limitProperties(resources, 2, 241))).toEqual(["CPUQuotaPerSecUSec=t 500000"]);
  });

  test.each([
    [{ cpu: { cpus: "x" } }, "linux.resources.cpu.cpus"],
    [{ unified: { "memory.high": "much" } }, "linux.resources.unified.memory.high"],
    [{ memory: { swap: 5 } }, "linux.resources.memory.swap"],
  ])("that are none are refused: %j", (resources, message) => {
    expect(() => limitProperties(resources, 2, 252)).toThrow(message);
  });
});

test("limits of cgroup v1 have the older names", () => {
  const resources: OciResources = {
    memory: { limit: 100, swap: 300 },
    cpu: { shares: 512, quota: 50000 },
    blockIO: { weight: 500 },
    pids: { limit: 3 },
  };
  expect(shown(limitProperties(resources, 1, 252))).toEqual([
    "MemoryLimit=t 100",
    "CPUShares=t 512",
    "BlockIOWeight=t 500",
    "CPUQuotaPerSecUSec=t 500000",
    "TasksMax=t 3",
  ]);
});

describe("devices as properties", () => {
  const of = (rules: Parameters<typeof resolveDeviceRules>[0]) =>
    deviceProperties(resolveDeviceRules(rules), { "c 136": "pts", "b 8": "sd" });

  test("are devices, drivers by the name that /proc/devices has, and everything of a type", () => {
    const [policy, allowed] = of([
      { allow: false, access: "rwm" },
      { allow: true, type: "b", major: 8, access: "r" },
      { allow: true, type: "c", major: 10, minor: 200, access: "rw" },
    ]);
    expect(policy?.value).toBe("strict");
    expect(allowed?.value).toEqual([
      ["block-sd", "r"],
      ["/dev/char/10:200", "rw"],
      ["char-*", "m"],
      ["block-*", "m"],
      ...[3, 5, 7, 8, 9].map((minor) => [`/dev/char/1:${minor}`, "rwm"]),
      ["/dev/char/5:0", "rwm"],
      ["/dev/char/5:2", "rwm"],
      ["char-pts", "rwm"],
    ]);
  });

  test.each<[string, OciDeviceRule[]]>([
    [
      "everything but one",
      [
        { allow: true, access: "rwm" },
        { allow: false, type: "c", major: 1, minor: 1 },
      ],
    ],
    ["a driver that the kernel has not", [{ allow: true, type: "b", major: 99 }]],
    ["one number of every driver", [{ allow: true, type: "c", minor: 3, access: "r" }]],
  ])("%s is not to be said: only our filter stands", (_, rules) => {
    expect(of(rules).map(({ value }) => value)).toEqual(["auto", []]);
  });
});

describe("annotations as properties", () => {
  const of = (name: string, text: string) =>
    shown(annotationProperties({ [`org.systemd.property.${name}`]: text, other: "x" }));

  test.each([
    ["TimeoutStopUSec", "uint64 123456789", "TimeoutStopUSec=t 123456789"],
    ["TimeoutStopSec", "123", "TimeoutStopUSec=t 123000000"],
    ["TimeoutStopSec", "1.5", "TimeoutStopUSec=t 1500000"],
    ["CollectMode", "'inactive-or-failed'", "CollectMode=s inactive-or-failed"],
    ["SendSIGHUP", "true", "SendSIGHUP=b true"],
    ["Documentation", `["man:a(1)", 'x,\\'y']`, "Documentation=as man:a(1),x,'y"],
    ["After", "@as []", "After=as "],
    ["AllowedCPUs", "[byte 0x03, 0]", "AllowedCPUs=ay 3,0"],
    ["Example", "b'a\\101'", "Example=ay 97,65,0"],
    ["Example", "int64 -5", "Example=x -5"],
    ["Example", "-5", "Example=i -5"],
    ["Example", "objectpath '/a'", "Example=o /a"],
    ["Example", "[[1, 2], [3]]", "Example=aai 1,2,3"],
  ])("%s: %s", (name, text, property) => {
    expect(of(name, text)).toEqual([property]);
  });

  test.each([
    ["Example", ""],
    ["Example", "bare"],
    ["Example", "'open"],
    ["Example", "[1, 'a']"],
    ["Example", "[]"],
    ["Example", "{'a': 1}"],
    ["Example", "(1, 2)"],
    ["Example", "<1>"],
    ["Example", "5 5"],
    ["Example", "uint32 'a'"],
    ["Example", "uint32 1.5"],
    ["TimeoutStopSec", "'5'"],
    ["TimeoutStopSec", "-5"],
    ["x", "5"],
    ["With.Dot", "5"],
  ])("%s: %s is refused", (name, text) => {
    expect(() => of(name, text)).toThrow(`annotations.org.systemd.property.${name}`);
  });
});

describe("the plan of a container whose cgroup systemd makes", () => {
  const facts: SystemdFacts = {
    manager: { kind: "system" },
    version: 252,
    controlGroup: "",
    deviceGroups: { "c 136": "pts" },
  };
  const spec: OciSpec = {
    ociVersion: "1.3.0",
    root: { path: "/r" },
    process: { cwd: "/", args: ["sh"] },
    annotations: { "org.systemd.property.TimeoutStopSec": "5" },
    linux: {
      namespaces: [{ type: "mount" }],
      cgroupsPath: "a-b.slice:p:c1",
      resources: { memory: { limit: 100 }, hugepageLimits: [{ pageSize: "2MB", limit: 0 }] },
    },
  };
  const cgroupSteps = (host = testHost, given = spec): KernelStep[] =>
    planContainer(given, host, { containerId: "c1", bundle: "/", systemd: facts }).steps.filter(
      ({ phase, op }) => phase === "host" || op === "join-cgroup",
    );
  const directory = "/sys/fs/cgroup/a.slice/a-b.slice/p-c1.scope";

  test("starts the unit, writes all limits behind it, and joins", () => {
    const [start, ...others] = cgroupSteps();
    expect(start).toMatchObject({ op: "start-unit", unit: "p-c1.scope", manager: { kind: "system" } });
    expect(others.map(({ op }) => op)).toEqual([
      ...["enable-controllers", "enable-controllers", "enable-controllers"],
      ...["write-cgroup", "write-cgroup", "write-cgroup", "attach-device-filter", "join-cgroup"],
    ] as KernelStep["op"][]);
    expect(others).toContainEqual(
      expect.objectContaining({ op: "write-cgroup", file: `${directory}/memory.max`, value: "100" }),
    );
    expect(others.at(-1)).toMatchObject({ file: `${directory}/cgroup.procs` });
  });

  test("the unit is a delegated scope that systemd counts for", () => {
    const [start] = cgroupSteps();
    const names = start?.op === "start-unit" ? shown(start.properties) : [];
    expect(names.filter((text) => !text.startsWith("DeviceAllow"))).toEqual([
      "Description=s gantry container c1",
      "Slice=s a-b.slice",
      "Delegate=b true",
      "DefaultDependencies=b false",
      "CollectMode=s inactive-or-failed",
      ...["CPU", "IO", "Memory", "Tasks"].map((name) => `${name}Accounting=b true`),
      "DevicePolicy=s strict",
      "MemoryMax=t 100",
      "TimeoutStopUSec=t 5000000",
    ]);
  });

  test("a slice is wanted by its parent, and delegates nothing", () => {
    const given = { ...spec, linux: { ...spec.linux, cgroupsPath: "a.slice:p:a-c.slice" } };
    const [start] = cgroupSteps(testHost, given);
    const names = start?.op === "start-unit" ? shown(start.properties) : [];
    expect(names.slice(0, 3)).toEqual([
      "Description=s gantry container c1",
      "Wants=as a.slice",
      "DefaultDependencies=b false",
    ]);
  });

  test("on v1 the hierarchies that systemd does not use are made here", () => {
    const given = { ...spec, linux: { ...spec.linux, resources: {} } };
    const made = cgroupSteps({ ...testHost, cgroup: versionOne }, given).filter(
      ({ op }) => op === "make-cgroup",
    );
    expect(made).toHaveLength(versionOne.hierarchies.length + 1);
    expect(made).toContainEqual(
      expect.objectContaining({
        path: "/sys/fs/cgroup/freezer/a.slice/a-b.slice/p-c1.scope",
        mayExist: true,
      }),
    );
  });
});
