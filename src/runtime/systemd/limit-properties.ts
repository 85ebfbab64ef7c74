import { invalidParameter } from "../../errors/platform-error.ts";
import type { Integer64, OciCpu, OciMemory, OciResources } from "../../formats/oci-runtime.ts";
import type { UnitProperty } from "../../kernel/systemd/service-manager.ts";
import { cpuWeight, ioWeight, swapOnly } from "../plan/cgroup-values.ts";
import { cpuMask, nodeMask } from "../plan/scheduling.ts";
import { PropertyList } from "./property-list.ts";

/** Versions of systemd from which on it knows a property (its NEWS). */
const since = { quotaPeriod: 242, allowedCpus: 244, idleWeight: 252 };

const infinity = 0xffff_ffff_ffff_ffffn;
const defaultPeriodUs = 100_000n;

/**
 * The limits that systemd knows, as properties of a unit. Pure. The others, and the exact values of those that systemd rounds, are
 * in the files of the cgroup only, which are written behind it.
 *
 * Errors: InvalidParameter for what cannot be a value.
 * Spec:   systemd.resource-control(5); org.freedesktop.systemd1(5).
 */
export function limitProperties(
  resources: OciResources,
  cgroupVersion: 1 | 2,
  systemdVersion: number,
): UnitProperty[] {
  const list = new PropertyList();
  const { memory = {}, cpu = {}, blockIO = {}, pids, unified = {} } = resources;
  if (cgroupVersion === 1) addVersionOne(list, resources);
  else {
    addMemory(list, memory);
    addWeight(list, cpu, systemdVersion);
    if (given(blockIO.weight)) list.set("IOWeight", "t", BigInt(ioWeight(blockIO.weight)));
  }
  addQuota(list, cpu.quota ?? 0, cpu.period ?? 0, systemdVersion);
  if (pids?.limit !== undefined && BigInt(pids.limit) !== 0n) list.set("TasksMax", "t", amount(pids.limit));
  addCpuset(list, cpu.cpus ?? "", cpu.mems ?? "", "linux.resources.cpu", systemdVersion);
  if (cgroupVersion === 2) addUnified(list, unified, systemdVersion);
  return list.properties;
}

const given = <N extends Integer64>(value: N | undefined): value is N =>
  value !== undefined && BigInt(value) !== 0n;

/** Negative is without limit. */
const amount = (value: Integer64): bigint => (value < 0 ? infinity : BigInt(value));

function addVersionOne(list: PropertyList, { memory = {}, cpu = {}, blockIO = {} }: OciResources): void {
  if (given(memory.limit)) list.set("MemoryLimit", "t", amount(memory.limit));
  if (given(cpu.shares)) list.set("CPUShares", "t", BigInt(cpu.shares));
  if (given(blockIO.weight)) list.set("BlockIOWeight", "t", BigInt(blockIO.weight));
}

function addMemory(list: PropertyList, memory: OciMemory): void {
  if (given(memory.limit)) list.set("MemoryMax", "t", amount(memory.limit));
  if (given(memory.reservation)) list.set("MemoryLow", "t", amount(memory.reservation));
  const swap = swapOnly(memory);
  if (swap !== undefined) list.set("MemorySwapMax", "t", swap === "max" ? infinity : BigInt(swap));
}

/** A weight of 0 is the one of an idle cgroup. */
function addWeight(list: PropertyList, { shares, idle }: OciCpu, systemdVersion: number): void {
  if (given(idle)) {
    if (systemdVersion >= since.idleWeight) list.set("CPUWeight", "t", 0n);
  } else if (given(shares)) list.set("CPUWeight", "t", BigInt(cpuWeight(shares)));
}

/** systemd keeps whole percents of a processor: rounded up, so that cgroups below may have what was asked for. */
function addQuota(list: PropertyList, quota: Integer64, period: Integer64, systemdVersion: number): void {
  if (BigInt(quota) === 0n && BigInt(period) === 0n) return;
  if (BigInt(period) !== 0n && systemdVersion >= since.quotaPeriod)
    list.set("CPUQuotaPeriodUSec", "t", BigInt(period));
  list.set(
    "CPUQuotaPerSecUSec",
    "t",
    quota > 0 ? roundedUp((BigInt(quota) * 1_000_000n) / (BigInt(period) || defaultPeriodUs)) : infinity,
  );
}

const percentUs = 10_000n;
const roundedUp = (us: bigint): bigint => ((us + percentUs - 1n) / percentUs) * percentUs;

function addCpuset(
  list: PropertyList,
  cpus: string,
  mems: string,
  place: string,
  systemdVersion: number,
): void {
  if (systemdVersion < since.allowedCpus) return;
  if (cpus !== "") list.set("AllowedCPUs", "ay", cpuMask(cpus, `${place}.cpus`));
  if (mems !== "") list.set("AllowedMemoryNodes", "ay", nodeMask(mems, `${place}.mems`));
}

/** Files of which each holds an amount or `max`. */
const amountFiles: Readonly<Record<string, string>> = {
  "memory.high": "MemoryHigh",
  "memory.low": "MemoryLow",
  "memory.max": "MemoryMax",
  "memory.min": "MemoryMin",
  "memory.swap.max": "MemorySwapMax",
  "pids.max": "TasksMax",
};

function addUnified(
  list: PropertyList,
  unified: Readonly<Record<string, string>>,
  systemdVersion: number,
): void {
  for (const [file, text] of Object.entries(unified)) {
    const value = text.trim();
    const place = `linux.resources.unified.${file}`;
    const property = amountFiles[file];
    if (property !== undefined) list.set(property, "t", amountIn(value, place));
    else if (file === "cpu.weight") list.set("CPUWeight", "t", amountIn(value, place));
    else if (file === "cpu.max") {
      const [quota = "", period = "0"] = value.split(/\s+/);
      addQuota(list, quota === "max" ? -1 : amountIn(quota, place), amountIn(period, place), systemdVersion);
    } else if (file === "cpuset.cpus") addCpuset(list, value, "", place, systemdVersion);
    else if (file === "cpuset.mems") addCpuset(list, "", value, place, systemdVersion);
  }
}

function amountIn(text: string, place: string): bigint {
  if (text === "max") return infinity;
  if (!/^\d+$/.test(text)) throw invalidParameter(`${place}: ${JSON.stringify(text)} is no number`);
  return BigInt(text);
}
