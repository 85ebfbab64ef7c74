import { describe, expect, test } from "bun:test";
import type { OciMount, OciSpec } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import { planContainer } from "./plan-container.ts";
import type { PlanOptions } from "./plan-options.ts";
import { testHost, versionOne } from "./testing/test-host.ts";

const withMounts = (mounts: readonly OciMount[], linux: OciSpec["linux"] = {}): OciSpec => ({
  ociVersion: "1.3.0",
  root: { path: "rootfs" },
  process: { cwd: "/", args: ["sh"] },
  mounts,
  linux: { namespaces: [{ type: "mount" }], ...linux },
});

/** Every step from open-root to the first device, without phase and reason. */
function mountSteps(
  mounts: readonly OciMount[],
  {
    linux,
    host = testHost,
    ...options
  }: Partial<PlanOptions> & { linux?: OciSpec["linux"]; host?: HostFacts } = {},
): object[] {
  const { steps } = planContainer(withMounts(mounts, linux), host, {
    containerId: "c1",
    bundle: "/bundle",
    ...options,
  });
  const from = steps.findIndex(({ op }) => op === "open-root") + 1;
  const to = steps.findIndex(({ op }) => op === "pivot-root");
  return steps.slice(from, to).filter(isMount).map(operation);
}

const isMount = (step: KernelStep) =>
  !["make-device", "symlink"].includes(step.op) || step.reason.includes("mounts");
const operation = ({ phase: _phase, reason: _reason, ...rest }: KernelStep) => rest;

const bind = (options: readonly string[]): OciMount => ({ destination: "/data", source: "/src", options });
const plainBind = {
  op: "bind",
  source: "/src",
  target: "/data",
  targetKind: "directory",
  recursive: true,
  attributes: { set: 0, clear: 0 },
  attributesRecursive: false,
  propagation: 0,
};

describe("a bind", () => {
  test("takes its mounts along with rbind, not with bind", () => {
    expect(mountSteps([bind(["rbind"])])).toEqual([plainBind]);
    expect(mountSteps([bind(["bind"])])).toEqual([{ ...plainBind, recursive: false }]);
  });

  test("is read-only alone, with everything below, or differently below", () => {
    const readOnly = { set: 1, clear: 0 };
    expect(mountSteps([bind(["rbind", "ro"])])).toEqual([{ ...plainBind, attributes: readOnly }]);
    expect(mountSteps([bind(["rbind", "rro"])])).toEqual([
      { ...plainBind, attributes: readOnly, attributesRecursive: true },
    ]);
    expect(mountSteps([bind(["rbind", "ro", "rnosuid"])])).toEqual([
      { ...plainBind, attributes: readOnly },
      { op: "remount", target: "/data", attributes: { set: 2, clear: 0 }, recursive: true },
    ]);
  });

  test("has its propagation", () => {
    expect(mountSteps([bind(["rbind", "rslave"])])).toEqual([
      { ...plainBind, propagation: (1 << 19) | 0x4000 },
    ]);
  });

  test("of a file makes a file, of a path in the bundle starts there", () => {
    const mounts = [{ destination: "etc/hosts", type: "bind", source: "files/hosts" }];
    const [step] = mountSteps(mounts, { sourceKinds: new Map([["/bundle/files/hosts", "file"]]) });
    expect(step).toMatchObject({ source: "/bundle/files/hosts", target: "/etc/hosts", targetKind: "file" });
  });

  test("maps ids with its own maps or the container's", () => {
    const own = [{ containerID: 0, hostID: 1000, size: 10 }];
    const mapped = { uid: "0 1000 10\n", gid: "0 1000 10\n" };
    const mount = { ...bind(["rbind", "idmap"]), uidMappings: own, gidMappings: own };
    expect(mountSteps([mount])).toEqual([{ ...plainBind, idMap: mapped }]);
    const recursive = mountSteps([{ ...mount, options: ["rbind", "ridmap", "ro"] }]);
    expect(recursive).toEqual([
      { ...plainBind, attributesRecursive: true, idMap: mapped },
      { op: "remount", target: "/data", attributes: { set: 1, clear: 0 }, recursive: false },
    ]);
    expect(() => mountSteps([bind(["rbind", "idmap"])])).toThrow(
      "neither it nor the container has id mappings",
    );
    expect(() => mountSteps([{ ...bind(["rbind"]), uidMappings: own }])).toThrow("only one of uidMappings");
  });
});

describe("/proc", () => {
  const on =
    (destination: string, source = "/tmp") =>
    () =>
      mountSteps([{ destination, type: "bind", source, options: ["rbind"] }]);

  test("is procfs, and nothing else (CVE-2019-19921)", () => {
    expect(on("/proc")).toThrow("mount /proc: only procfs can be mounted there");
    expect(on("/a/../proc/")).toThrow("only procfs can be mounted there");
    expect(on("/proc", "/proc")).not.toThrow();
  });

  test("has nothing else inside (CVE-2025-52881)", () => {
    expect(on("/proc/sys")).toThrow("mount /proc/sys: nothing can be mounted inside /proc");
    expect(on("proc/self/attr/exec")).toThrow("nothing can be mounted inside /proc");
    expect(on("/proc/uptime", "/var/lib/lxcfs/proc/uptime")).not.toThrow();
    expect(on("/process")).not.toThrow();
  });
});

describe("a file system", () => {
  test("gets attributes and data apart", () => {
    const mounts = [
      {
        destination: "/proc",
        type: "proc",
        source: "proc",
        options: ["nosuid", "noexec", "nodev", "hidepid=2"],
      },
    ];
    expect(mountSteps(mounts)).toEqual([
      { op: "mount", fstype: "proc", source: "proc", target: "/proc", attributes: 14, data: ["hidepid=2"] },
    ]);
  });

  test("of a disk is opened read-only, of the kernel only mounted so", () => {
    const [disk] = mountSteps([{ destination: "/m", type: "ext4", source: "/dev/vda", options: ["ro"] }]);
    expect(disk).toMatchObject({ attributes: 1, data: ["ro"] });
    const [sys] = mountSteps([{ destination: "/sys", type: "sysfs", options: ["ro"] }]);
    expect(sys).toMatchObject({ source: "sysfs", attributes: 1, data: [] });
  });

  test("tmpfs becomes read-only after everything is made on it", () => {
    const steps = mountSteps([
      { destination: "/dev", type: "tmpfs", options: ["ro", "nosuid"] },
      { destination: "/dev/pts", type: "devpts" },
    ]);
    expect(steps.map((step) => ("op" in step ? step.op : ""))).toEqual(["mount", "mount", "remount"]);
    expect(steps[0]).toMatchObject({ attributes: 2 });
    expect(steps[2]).toEqual({
      op: "remount",
      target: "/dev",
      attributes: { set: 1, clear: 0 },
      recursive: false,
    });
  });

  test("tmpfs may copy up what it covers, others may not", () => {
    expect(mountSteps([{ destination: "/var", type: "tmpfs", options: ["tmpcopyup"] }])[0]).toMatchObject({
      copyUp: true,
      data: [],
    });
    expect(() => mountSteps([{ destination: "/var", type: "ramfs", options: ["tmpcopyup"] }])).toThrow(
      "mount /var: tmpcopyup is for tmpfs only",
    );
  });
});

describe("cgroup mounts", () => {
  const mount = {
    destination: "/sys/fs/cgroup",
    type: "cgroup",
    options: ["ro", "nosuid", "noexec", "nodev"],
  };
  const linux = { cgroupsPath: "/pod/c1" };

  test("are one file system on v2", () => {
    expect(mountSteps([mount], { linux })).toEqual([
      {
        op: "mount",
        fstype: "cgroup2",
        source: "cgroup",
        target: "/sys/fs/cgroup",
        attributes: 15,
        data: [],
      },
    ]);
  });

  test("are a tmpfs with one bind for each hierarchy on v1, and links for shared ones", () => {
    const steps = mountSteps([mount], { linux, host: { ...testHost, cgroup: versionOne } });
    expect(steps[0]).toEqual({
      op: "mount",
      fstype: "tmpfs",
      source: "tmpfs",
      target: "/sys/fs/cgroup",
      attributes: 14,
      data: ["mode=755"],
    });
    expect(steps[1]).toMatchObject({
      op: "bind",
      source: "/sys/fs/cgroup/cpu,cpuacct/pod/c1",
      target: "/sys/fs/cgroup/cpu,cpuacct",
      attributes: { set: 15, clear: 0 },
    });
    expect(steps.slice(2, 4)).toEqual([
      { op: "symlink", path: "/sys/fs/cgroup/cpu", to: "cpu,cpuacct" },
      { op: "symlink", path: "/sys/fs/cgroup/cpuacct", to: "cpu,cpuacct" },
    ]);
    expect(steps.filter((step) => "op" in step && step.op === "bind")).toHaveLength(8);
    expect(steps.at(-1)).toMatchObject({ op: "remount", target: "/sys/fs/cgroup", attributes: { set: 1 } });
  });

  test("cgroup2 is refused where v1 has the controllers", () => {
    expect(() =>
      mountSteps([{ destination: "/c", type: "cgroup2" }], { host: { ...testHost, cgroup: versionOne } }),
    ).toThrow("mount /c: this host has cgroup v1");
  });
});

describe("refused", () => {
  test.each<[string, OciMount, string]>([
    ["the root", { destination: "/", type: "tmpfs" }, "covers the root"],
    ["the root, hidden", { destination: "/a/..", type: "tmpfs" }, "covers the root"],
    ["no type", { destination: "/a" }, "has no type, and is no bind"],
    ["a bind without a source", { destination: "/a", type: "bind" }, "without a source"],
    ["data for a bind", bind(["rbind", "size=1"]), "no such option: size=1"],
    [
      "a remount with data",
      { destination: "/a", options: ["remount", "size=1"] },
      "is not supported: size=1",
    ],
    ["ids of a file system", { destination: "/a", type: "tmpfs", options: ["idmap"] }, "binds only"],
  ])("%s", (_, mount, message) => {
    expect(() => mountSteps([mount])).toThrow(message);
  });
});

describe("linux.mountLabel", () => {
  const host = { ...testHost, selinux: true };
  const dataOf = (mounts: readonly OciMount[], on: HostFacts = host) =>
    mountSteps(mounts, { host: on, linux: { mountLabel: "system_u:object_r:container_file_t:s0:c1,c2" } })
      .filter((step): step is { data: readonly string[] } => "data" in step)
      .map(({ data }) => data);
  const context = "context=system_u:object_r:container_file_t:s0:c1,c2";

  test("is the context of new file systems, but of those that the policy labels, and of binds", () => {
    const mounts = [
      { destination: "/tmp", type: "tmpfs", options: ["size=1m"] },
      { destination: "/proc", type: "proc" },
      { destination: "/dev/mqueue", type: "mqueue" },
      { destination: "/dev/pts", type: "devpts" },
      { destination: "/data", type: "bind", source: "/src" },
    ];
    expect(dataOf(mounts)).toEqual([["size=1m", context], [], [], [context]]);
  });

  test("gives way to a context of the mount's own", () => {
    expect(dataOf([{ destination: "/t", type: "tmpfs", options: ["rootcontext=a"] }])).toEqual([
      ["rootcontext=a"],
    ]);
  });

  test("is on the tmpfs that holds the hierarchies of cgroup v1", () => {
    const cgroups = [{ destination: "/sys/fs/cgroup", type: "cgroup" }];
    expect(dataOf(cgroups, { ...host, cgroup: versionOne })[0]).toEqual(["mode=755", context]);
  });
});
