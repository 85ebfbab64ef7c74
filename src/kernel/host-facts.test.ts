import { describe, expect, test } from "bun:test";
import { detectCgroups } from "./cgroup-facts.ts";
import { countCpus, detectHost, kernelVersion, parseLimits, unlimited } from "./host-facts.ts";

const hybrid = `
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 31 0:31 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/agent,name=systemd
35 31 0:30 /a /mnt/again rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const unified = "30 23 0:26 / /sys/fs/my\\040cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";

const files = (entries: Record<string, string>) => (path: string) => entries[path] ?? "";

describe("cgroups", () => {
  test("of version 1, with a v2 hierarchy beside them", () => {
    const read = files({ "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes": "9223372036854771712" });
    expect(detectCgroups(hybrid, "0::/\n", read)).toEqual({
      version: 1,
      hierarchies: [
        { controllers: ["cpu", "cpuacct"], mountPoint: "/sys/fs/cgroup/cpu,cpuacct" },
        { controllers: ["memory"], mountPoint: "/sys/fs/cgroup/memory" },
        { controllers: ["name=systemd"], mountPoint: "/sys/fs/cgroup/systemd" },
      ],
      unified: "/sys/fs/cgroup/unified",
      swapAccounting: true,
      weightFile: undefined,
      cpusetCpus: "",
      cpusetMems: "",
    });
  });

  test("of version 2, where limits are looked up in the own cgroup", () => {
    const mount = "/sys/fs/my cgroup";
    const read = files({
      [`${mount}/cgroup.controllers`]: "cpuset cpu io memory pids",
      [`${mount}/cpuset.cpus.effective`]: "0-7",
      [`${mount}/system.slice/io.bfq.weight`]: "default 100",
    });
    expect(detectCgroups(unified, "0::/system.slice\n", read)).toEqual({
      version: 2,
      mountPoint: mount,
      controllers: ["cpuset", "cpu", "io", "memory", "pids"],
      swapAccounting: false,
      weightFile: "io.bfq.weight",
      cpusetCpus: "0-7",
      cpusetMems: "",
    });
  });

  test("may be absent", () => {
    expect(detectCgroups("", "", files({}))).toEqual({ version: 0 });
  });
});

test.each([
  ["6.18.44-fc-v595", 6, 18],
  ["5.4", 5, 4],
  ["odd", 0, 0],
])("kernel %s", (release, major, minor) => {
  expect(kernelVersion(release)).toEqual({ release, major, minor });
});

test.each([
  ["0", 1],
  ["0-3", 4],
  ["0-3,8,10-11", 7],
])("%s are %d processors", (list, count) => {
  expect(countCpus(list)).toBe(count);
});

test("limits are read by their columns", () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 524288               files
Max stack size            8388608              unlimited            bytes
Max nice priority         0                    0
Max new thing             1                    1
`;
  expect(parseLimits(text)).toEqual({
    RLIMIT_NOFILE: { soft: 1024n, hard: 524288n },
    RLIMIT_STACK: { soft: 8388608n, hard: unlimited },
    RLIMIT_NICE: { soft: 0n, hard: 0n },
  });
});

test("this machine can be described", () => {
  const host = detectHost();
  expect(host.namespaces).toContain("mount");
  expect(host.kernel.major).toBeGreaterThanOrEqual(5);
  expect(host.cpuCount).toBeGreaterThan(0);
  expect(host.rlimits.RLIMIT_NOFILE?.hard).toBeGreaterThan(0n);
});
