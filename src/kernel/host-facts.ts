import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type CgroupFacts, detectCgroups } from "./cgroup-facts.ts";
import type { NamespaceType } from "./steps.ts";

/** As uname(2) names the machine; the seccomp tables and the profile know it under their own names. */
export type Architecture = string;

export interface RlimitFacts {
  readonly soft: bigint;
  readonly hard: bigint;
}

/** What a plan has to know of the machine. Plain data, so that a plan for another machine can be made and tested. */
export interface HostFacts {
  readonly architecture: Architecture;
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  readonly cgroup: CgroupFacts;
  /** Processors that are online. */
  readonly cpuCount: number;
  readonly namespaces: readonly NamespaceType[];
  /** The highest capability number the kernel knows. */
  readonly lastCapability: number;
  /** Of this process, bit n is capability n: nothing it lacks can be given to a container. */
  readonly capabilities: { readonly bounding: bigint; readonly permitted: bigint };
  /** Actions that seccomp filters may return, in the kernel's words (`kill_process`); empty without filters. */
  readonly seccompActions: readonly string[];
  readonly apparmor: boolean;
  readonly selinux: boolean;
  /** Cache and memory bandwidth can be shared out (resctrl). */
  readonly resctrl: boolean;
  /** Of this process, by name (`RLIMIT_NOFILE`): what a container inherits. */
  readonly rlimits: Readonly<Record<string, RlimitFacts>>;
  readonly oomScoreAdj: number;
  /** This process is itself inside a user namespace: no mknod, limited mounts. */
  readonly inUserNamespace: boolean;
  /** Sysctls of a new network namespace which exist, among those that Docker sets. */
  readonly networkSysctls: readonly string[];
  /** Paths of /proc and /sys that exist here and are masked only if they do. */
  readonly thermalThrottlePaths: readonly string[];
  readonly hasKcore: boolean;
}

/** RLIM_INFINITY. */
export const unlimited = (1n << 64n) - 1n;

type Readers = { readonly [K in keyof HostFacts]: () => HostFacts[K] };

const readers: Readers = {
  architecture: () => architectureOf(process.arch),
  kernel: () => kernelVersion(readLine("/proc/sys/kernel/osrelease")),
  cgroup: () => detectCgroups(readText("/proc/self/mountinfo"), readText("/proc/self/cgroup"), readLine),
  cpuCount: () => countCpus(readLine("/sys/devices/system/cpu/online")),
  namespaces: detectNamespaces,
  lastCapability: () => Number(readLine("/proc/sys/kernel/cap_last_cap") || "40"),
  capabilities: detectCapabilities,
  seccompActions: () => readLine("/proc/sys/kernel/seccomp/actions_avail").split(" ").filter(Boolean),
  apparmor: () => readLine("/sys/module/apparmor/parameters/enabled") === "Y",
  selinux: () => existsSync("/sys/fs/selinux/enforce"),
  resctrl: () => existsSync("/sys/fs/resctrl"),
  rlimits: () => parseLimits(readText("/proc/self/limits")),
  oomScoreAdj: () => Number(readLine("/proc/self/oom_score_adj") || "0"),
  inUserNamespace: () => !/^\s*0\s+0\s+4294967295\s*$/.test(readLine("/proc/self/uid_map")),
  networkSysctls: () =>
    ["net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range"].filter((key) =>
      existsSync(`/proc/sys/${key.replaceAll(".", "/")}`),
    ),
  thermalThrottlePaths,
  hasKcore: () => existsSync("/proc/kcore"),
};

/** Reads the facts; takes about a millisecond, so that a resident engine calls it once. Needs /proc and /sys. */
export const detectHost = (): HostFacts => ({ ...detectHostLazily() });

/** The same facts, each read when it is first asked for: a command that makes one plan needs about half of them. */
export function detectHostLazily(): HostFacts {
  const facts = {};
  for (const [name, read] of Object.entries(readers)) {
    let value: unknown;
    let isRead = false;
    const get = () => {
      if (!isRead) value = read();
      isRead = true;
      return value;
    };
    Object.defineProperty(facts, name, { get, enumerable: true });
  }
  // Every property comes from the reader of its name.
  return facts as HostFacts;
}

function detectCapabilities(): HostFacts["capabilities"] {
  const status = readText("/proc/self/status");
  const mask = (line: RegExp) => BigInt(`0x${line.exec(status)?.[1] ?? "0"}`);
  return { bounding: mask(/^CapBnd:\t(\S+)$/m), permitted: mask(/^CapPrm:\t(\S+)$/m) };
}

function architectureOf(nodeName: string): Architecture {
  const names: Record<string, string> = { x64: "x86_64", arm64: "aarch64", ia32: "x86", ppc64: "ppc64le" };
  return names[nodeName] ?? nodeName;
}

/** `6.18.44-fc-v595` → 6, 18. */
export function kernelVersion(release: string): HostFacts["kernel"] {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return { release, major: Number(major), minor: Number(minor) };
}

/** The number of processors in a kernel list like `0-3,8`. */
export function countCpus(list: string): number {
  let count = 0;
  for (const part of list.split(",")) {
    const [first = 0, last = first] = part.split("-").map(Number);
    count += last - first + 1;
  }
  return count;
}

const namespaceFiles: Record<NamespaceType, string> = {
  mount: "mnt",
  pid: "pid",
  network: "net",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
  time: "time",
};

/** The name below /proc/PID/ns. */
export const namespaceFile = (type: NamespaceType): string => namespaceFiles[type];

function detectNamespaces(): NamespaceType[] {
  const present = new Set(readdirSync("/proc/self/ns"));
  return (Object.keys(namespaceFiles) as NamespaceType[]).filter((type) => present.has(namespaceFiles[type]));
}

const limitNames: Record<string, string> = {
  "Max cpu time": "RLIMIT_CPU",
  "Max file size": "RLIMIT_FSIZE",
  "Max data size": "RLIMIT_DATA",
  "Max stack size": "RLIMIT_STACK",
  "Max core file size": "RLIMIT_CORE",
  "Max resident set": "RLIMIT_RSS",
  "Max processes": "RLIMIT_NPROC",
  "Max open files": "RLIMIT_NOFILE",
  "Max locked memory": "RLIMIT_MEMLOCK",
  "Max address space": "RLIMIT_AS",
  "Max file locks": "RLIMIT_LOCKS",
  "Max pending signals": "RLIMIT_SIGPENDING",
  "Max msgqueue size": "RLIMIT_MSGQUEUE",
  "Max nice priority": "RLIMIT_NICE",
  "Max realtime priority": "RLIMIT_RTPRIO",
  "Max realtime timeout": "RLIMIT_RTTIME",
};

/** The table of /proc/PID/limits. */
export function parseLimits(text: string): Record<string, RlimitFacts> {
  const value = (word: string) => (word === "unlimited" ? unlimited : BigInt(word));
  const limits: Record<string, RlimitFacts> = {};
  for (const line of text.split("\n")) {
    const match = /^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)/.exec(line);
    const name = limitNames[match?.[1] ?? ""];
    if (name === undefined || match?.[2] === undefined || match[3] === undefined) continue;
    limits[name] = { soft: value(match[2]), hard: value(match[3]) };
  }
  return limits;
}

function thermalThrottlePaths(): string[] {
  const root = "/sys/devices/system/cpu";
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => `${root}/${name}/thermal_throttle`)
    .filter((path) => existsSync(path));
}

const readLine = (path: string): string => readText(path).trim();

/** A missing file reads as empty: the ability it tells of is absent. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
