import type { CgroupFacts } from "../../../kernel/cgroup-facts.ts";
import { type HostFacts, unlimited } from "../../../kernel/host-facts.ts";

/** Hosts for tests of plans: nothing of the machine that runs them. */

export const versionTwo: Extract<CgroupFacts, { version: 2 }> = {
  version: 2,
  mountPoint: "/sys/fs/cgroup",
  controllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"],
  swapAccounting: true,
  weightFile: "io.weight",
  cpusetCpus: "0-3",
  cpusetMems: "0",
};

export const versionOne: Extract<CgroupFacts, { version: 1 }> = {
  version: 1,
  hierarchies: [
    { controllers: ["cpu", "cpuacct"], mountPoint: "/sys/fs/cgroup/cpu,cpuacct" },
    { controllers: ["cpuset"], mountPoint: "/sys/fs/cgroup/cpuset" },
    { controllers: ["memory"], mountPoint: "/sys/fs/cgroup/memory" },
    { controllers: ["devices"], mountPoint: "/sys/fs/cgroup/devices" },
    { controllers: ["freezer"], mountPoint: "/sys/fs/cgroup/freezer" },
    { controllers: ["blkio"], mountPoint: "/sys/fs/cgroup/blkio" },
    { controllers: ["pids"], mountPoint: "/sys/fs/cgroup/pids" },
    { controllers: ["name=systemd"], mountPoint: "/sys/fs/cgroup/systemd" },
  ],
  unified: "/sys/fs/cgroup/unified",
  swapAccounting: true,
  weightFile: "blkio.weight",
  cpusetCpus: "0-3",
  cpusetMems: "0",
};

const everything = (1n << 41n) - 1n;

export const testHost: HostFacts = {
  architecture: "x86_64",
  kernel: { release: "6.12.0", major: 6, minor: 12 },
  cgroup: versionTwo,
  cpuCount: 4,
  namespaces: ["mount", "pid", "network", "ipc", "uts", "user", "cgroup", "time"],
  lastCapability: 40,
  capabilities: { bounding: everything, permitted: everything },
  seccompActions: ["kill_process", "kill_thread", "trap", "errno", "user_notif", "trace", "log", "allow"],
  apparmor: false,
  selinux: false,
  resctrl: false,
  rlimits: {
    RLIMIT_NOFILE: { soft: 1024n, hard: 524288n },
    RLIMIT_CORE: { soft: unlimited, hard: unlimited },
  },
  oomScoreAdj: 0,
  inUserNamespace: false,
  networkSysctls: ["net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range"],
  thermalThrottlePaths: [],
  hasKcore: true,
};
