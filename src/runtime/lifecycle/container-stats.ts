import { readdirSync } from "node:fs";
import type { Integer64 } from "../../formats/oci-runtime.ts";
import { readCgroupFile } from "../../kernel/cgroup-files.ts";
import { controllerDirectory } from "../../kernel/cgroupfs.ts";
import { unlimited } from "../../kernel/host-facts.ts";
import { readBlockIoV1, readBlockIoV2 } from "./block-io-stats.ts";
import type { ContainerState } from "./container-state.ts";

/** The `data` of runc's `events --stats`. Bytes and nanoseconds. */
export type ContainerStats = Readonly<Record<string, unknown>>;

/** Reads what the container uses; fields of controllers that are not there are missing or empty. */
export function readContainerStats({ cgroup: { facts, path } }: ContainerState): ContainerStats {
  const files = (controller: string) => new CgroupReader(controllerDirectory(facts, controller, path));
  const v2 = facts.version === 2;
  return {
    cpu: v2 ? cpuV2(files("cpu")) : cpuV1(files("cpuacct"), files("cpu")),
    cpuset: cpuset(files("cpuset"), v2),
    memory: v2 ? memoryV2(files("memory")) : memoryV1(files("memory")),
    pids: { current: files("pids").number("pids.current"), ...limitOf(files("pids").text("pids.max")) },
    blkio: v2
      ? { ...readBlockIoV2(files("io")), ...pressureOf(files("io").text("io.pressure")) }
      : readBlockIoV1(files("blkio")),
    hugetlb: hugetlb(files("hugetlb"), v2),
    intel_rdt: {},
    network_interfaces: null,
  };
}

/** Files of one cgroup; missing ones read as nothing. */
export class CgroupReader {
  constructor(readonly directory: string | undefined) {}

  text(file: string): string {
    return this.directory === undefined ? "" : (readCgroupFile(`${this.directory}/${file}`) ?? "");
  }

  /** 0 without the file; `max` is the largest of 64 bits. */
  number(file: string): Integer64 {
    return numberOf(this.text(file));
  }

  /** `name value` lines. */
  fields(file: string): Record<string, number> {
    return Object.fromEntries(
      this.text(file)
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(" "))
        .map(([name = "", value = ""]) => [name, Number(value)]),
    );
  }
}

function numberOf(text: string): Integer64 {
  if (text === "max") return unlimited;
  const value = Number(text.trim() || "0");
  return Number.isSafeInteger(value) ? value : BigInt(text.trim());
}

/** No `limit` where there is none. */
const limitOf = (text: string) => (text === "" || text === "max" ? {} : { limit: Number(text) });

const userHz = 100;
const nanosecondsPerTick = 1e9 / userHz;

function cpuV1(usage: CgroupReader, throttling: CgroupReader) {
  const ticks = usage.fields("cpuacct.stat");
  const perCpu = (file: string) => usage.text(file).split(" ").filter(Boolean).map(Number);
  const stat = throttling.fields("cpu.stat");
  return {
    usage: {
      total: usage.number("cpuacct.usage"),
      percpu: perCpu("cpuacct.usage_percpu"),
      percpu_kernel: perCpu("cpuacct.usage_percpu_sys"),
      percpu_user: perCpu("cpuacct.usage_percpu_user"),
      kernel: (ticks.system ?? 0) * nanosecondsPerTick,
      user: (ticks.user ?? 0) * nanosecondsPerTick,
    },
    throttling: {
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttledTime: stat.throttled_time ?? 0,
    },
  };
}

function cpuV2(cpu: CgroupReader) {
  const stat = cpu.fields("cpu.stat");
  const nanoseconds = (name: string) => (stat[name] ?? 0) * 1000;
  return {
    usage: {
      total: nanoseconds("usage_usec"),
      kernel: nanoseconds("system_usec"),
      user: nanoseconds("user_usec"),
    },
    throttling: {
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttledTime: nanoseconds("throttled_usec"),
    },
    ...pressureOf(cpu.text("cpu.pressure")),
  };
}

function cpuset(files: CgroupReader, v2: boolean) {
  const list = (file: string) => expandList(files.text(file));
  if (v2) return { cpus: list("cpuset.cpus.effective"), mems: list("cpuset.mems.effective") };
  return {
    cpus: list("cpuset.cpus"),
    mems: list("cpuset.mems"),
    cpu_exclusive: files.number("cpuset.cpu_exclusive"),
    mem_exclusive: files.number("cpuset.mem_exclusive"),
    mem_hardwall: files.number("cpuset.mem_hardwall"),
    memory_migrate: files.number("cpuset.memory_migrate"),
    memory_spread_page: files.number("cpuset.memory_spread_page"),
    memory_spread_slab: files.number("cpuset.memory_spread_slab"),
    sched_load_balance: files.number("cpuset.sched_load_balance"),
    sched_relax_domain_level: files.number("cpuset.sched_relax_domain_level"),
  };
}

/** `0-2,7` → 0, 1, 2, 7. */
function expandList(text: string): number[] {
  return text
    .split(",")
    .filter(Boolean)
    .flatMap((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

function memoryV1(files: CgroupReader) {
  const entry = (prefix: string) => ({
    limit: files.number(`${prefix}.limit_in_bytes`),
    usage: files.number(`${prefix}.usage_in_bytes`),
    max: files.number(`${prefix}.max_usage_in_bytes`),
    failcnt: files.number(`${prefix}.failcnt`),
  });
  const raw = files.fields("memory.stat");
  return {
    cache: raw.cache ?? 0,
    usage: entry("memory"),
    swap: entry("memory.memsw"),
    kernel: entry("memory.kmem"),
    kernelTCP: entry("memory.kmem.tcp"),
    raw,
  };
}

function memoryV2(files: CgroupReader) {
  const raw = files.fields("memory.stat");
  const entry = (prefix: string, failures: number | undefined) => ({
    limit: files.number(`${prefix}.max`),
    usage: files.number(`${prefix}.current`),
    max: files.number(`${prefix}.peak`),
    failcnt: failures ?? 0,
  });
  return {
    cache: raw.file ?? 0,
    usage: entry("memory", files.fields("memory.events").max),
    swap: withMemory(entry("memory.swap", files.fields("memory.swap.events").max), entry("memory", 0)),
    kernel: { limit: 0, usage: raw.kernel ?? 0, max: 0, failcnt: 0 },
    kernelTCP: { limit: 0, usage: raw.sock ?? 0, max: 0, failcnt: 0 },
    raw,
    ...pressureOf(files.text("memory.pressure")),
  };
}

interface MemoryEntry {
  readonly limit: Integer64;
  readonly usage: Integer64;
  readonly max: Integer64;
  readonly failcnt: number;
}

/** Swap together with memory, as v1 has it and callers take it; the two peaks need not have been at the same time. */
function withMemory(swap: MemoryEntry, memory: MemoryEntry): MemoryEntry {
  const sum = (a: Integer64, b: Integer64) => numberOf(String(BigInt(a) + BigInt(b)));
  const limited = swap.limit !== unlimited && memory.limit !== unlimited;
  return {
    limit: limited ? sum(swap.limit, memory.limit) : unlimited,
    usage: sum(swap.usage, memory.usage),
    max: 0,
    failcnt: swap.failcnt,
  };
}

/**
 * Pressure stall information, `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` and `full …`: percentages, and microseconds in
 * all. Nothing where the kernel keeps none.
 */
export function pressureOf(text: string): {
  readonly psi?: Readonly<Record<string, Record<string, number>>>;
} {
  const lines = text.split("\n").filter(Boolean);
  if (lines.length === 0) return {};
  const psi = lines.map((line) => {
    const [kind = "", ...pairs] = line.split(" ");
    return [
      kind,
      Object.fromEntries(pairs.map((pair) => pair.split("=")).map(([key, value]) => [key, Number(value)])),
    ];
  });
  return { psi: Object.fromEntries(psi) };
}

function hugetlb(files: CgroupReader, v2: boolean) {
  const suffix = v2 ? "current" : "usage_in_bytes";
  const pattern = new RegExp(`^hugetlb\\.([0-9]+[KMG]B)\\.${suffix}$`);
  const sizes = namesIn(files.directory).flatMap((name) => pattern.exec(name)?.[1] ?? []);
  return Object.fromEntries(
    sizes.map((size) => [
      size,
      {
        usage: files.number(`hugetlb.${size}.${suffix}`),
        max: v2 ? 0 : files.number(`hugetlb.${size}.max_usage_in_bytes`),
        failcnt: v2
          ? (files.fields(`hugetlb.${size}.events`).max ?? 0)
          : files.number(`hugetlb.${size}.failcnt`),
      },
    ]),
  );
}

function namesIn(directory: string | undefined): string[] {
  try {
    return directory === undefined ? [] : readdirSync(directory);
  } catch {
    return []; // the container ends
  }
}
