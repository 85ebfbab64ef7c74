import { invalidParameter } from "../../errors/platform-error.ts";
import type {
  OciBlockIo,
  OciCpu,
  OciDeviceRule,
  OciMemory,
  OciResources,
} from "../../formats/oci-runtime.ts";
import { defaultDeviceRules } from "../../runtime/defaults.ts";
import { buildDevices } from "./build-devices.ts";
import type { HostConfig, ThrottleDevice } from "./docker-config.ts";
import { type OriginMap, sizeWord } from "./origins.ts";
import type { SpecInput } from "./spec-input.ts";

/** Builds `linux.resources` from checked limits (validate-resources.ts). */
export function buildResources(input: SpecInput, origins: OriginMap): OciResources {
  const { hostConfig } = input;
  const place = (field: string, words: string) => origins.set(`/linux/resources/${field}`, words);
  const memory = buildMemory(hostConfig, place);
  const cpu = buildCpu(hostConfig, place);
  const blockIO = buildBlockIo(input, place);
  const { PidsLimit = 0 } = hostConfig;
  if (PidsLimit > 0) place("pids/limit", `--pids-limit ${PidsLimit}`);
  return {
    devices: buildDeviceRules(input, place),
    ...(Object.keys(memory).length > 0 && { memory }),
    ...(Object.keys(cpu).length > 0 && { cpu }),
    ...(Object.keys(blockIO).length > 0 && { blockIO }),
    ...(PidsLimit > 0 && { pids: { limit: PidsLimit } }),
  };
}

type Place = (field: string, words: string) => void;

function buildMemory(config: HostConfig, place: Place): OciMemory {
  const { Memory = 0, MemoryReservation = 0, MemorySwap = 0, MemorySwappiness = -1, OomKillDisable } = config;
  if (Memory > 0) place("memory/limit", `--memory ${sizeWord(Memory)}`);
  if (MemoryReservation > 0)
    place("memory/reservation", `--memory-reservation ${sizeWord(MemoryReservation)}`);
  if (MemorySwap !== 0)
    place(
      "memory/swap",
      MemorySwap === Memory * 2
        ? `--memory ${sizeWord(Memory)} (as much swap again)`
        : `--memory-swap ${sizeWord(MemorySwap)}`,
    );
  if (MemorySwappiness >= 0) place("memory/swappiness", `--memory-swappiness ${MemorySwappiness}`);
  if (OomKillDisable === true) place("memory/disableOOMKiller", "--oom-kill-disable");
  return {
    ...(Memory > 0 && { limit: Memory }),
    ...(MemoryReservation > 0 && { reservation: MemoryReservation }),
    ...(MemorySwap !== 0 && { swap: MemorySwap }),
    ...(MemorySwappiness >= 0 && { swappiness: MemorySwappiness }),
    ...(OomKillDisable === true && { disableOOMKiller: true }),
  };
}

/** The scheduler's default: `--cpus 2` is twice this in each of them. */
const periodUs = 100_000;

function buildCpu(config: HostConfig, place: Place): OciCpu {
  const { NanoCpus = 0, CpuShares = 0, CpusetCpus = "", CpusetMems = "" } = config;
  const period = NanoCpus > 0 ? periodUs : (config.CpuPeriod ?? 0);
  const quota = NanoCpus > 0 ? Math.trunc((NanoCpus * periodUs) / 1e9) : (config.CpuQuota ?? 0);
  if (NanoCpus > 0) {
    place("cpu/period", `--cpus ${NanoCpus / 1e9}`);
    place("cpu/quota", `--cpus ${NanoCpus / 1e9}`);
  } else {
    if (period !== 0) place("cpu/period", `--cpu-period ${period}`);
    if (quota !== 0) place("cpu/quota", `--cpu-quota ${quota}`);
  }
  if (CpuShares !== 0) place("cpu/shares", `--cpu-shares ${CpuShares}`);
  if (CpusetCpus !== "") place("cpu/cpus", `--cpuset-cpus ${CpusetCpus}`);
  if (CpusetMems !== "") place("cpu/mems", `--cpuset-mems ${CpusetMems}`);
  return {
    ...(CpuShares !== 0 && { shares: CpuShares }),
    ...(period !== 0 && { period }),
    ...(quota !== 0 && { quota }),
    ...(CpusetCpus !== "" && { cpus: CpusetCpus }),
    ...(CpusetMems !== "" && { mems: CpusetMems }),
  };
}

const throttles = [
  ["BlkioDeviceReadBps", "throttleReadBpsDevice", "--device-read-bps"],
  ["BlkioDeviceWriteBps", "throttleWriteBpsDevice", "--device-write-bps"],
  ["BlkioDeviceReadIOps", "throttleReadIOPSDevice", "--device-read-iops"],
  ["BlkioDeviceWriteIOps", "throttleWriteIOPSDevice", "--device-write-iops"],
] as const;

function buildBlockIo(input: SpecInput, place: Place): OciBlockIo {
  const { hostConfig } = input;
  const { BlkioWeight = 0, BlkioWeightDevice = [] } = hostConfig;
  if (BlkioWeight > 0) place("blockIO/weight", `--blkio-weight ${BlkioWeight}`);
  const devices = BlkioWeightDevice.map(({ Path = "", Weight = 0 }, index) => {
    place(`blockIO/weightDevice/${index}`, `--blkio-weight-device ${Path}:${Weight}`);
    return { ...deviceNumbers(Path, input), weight: Weight };
  });
  const limits = throttles.flatMap(([field, target, flag]) => {
    const entries = hostConfig[field] ?? [];
    if (entries.length === 0) return [];
    return [[target, entries.map((entry, index) => throttle(entry, `${target}/${index}`, flag))] as const];
  });
  function throttle({ Path = "", Rate = 0 }: ThrottleDevice, field: string, flag: string) {
    place(`blockIO/${field}`, `${flag} ${Path}:${flag.endsWith("bps") ? sizeWord(Rate) : Rate}`);
    return { ...deviceNumbers(Path, input), rate: Rate };
  }
  return {
    ...(BlkioWeight > 0 && { weight: BlkioWeight }),
    ...(devices.length > 0 && { weightDevice: devices }),
    ...Object.fromEntries(limits),
  };
}

function deviceNumbers(path: string, { devices }: SpecInput) {
  const device = devices.get(path)?.[0];
  if (device === undefined) throw invalidParameter(`no such device: ${path}`);
  return { major: device.major, minor: device.minor };
}

const rulePattern = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/;

function buildDeviceRules(input: SpecInput, place: Place): OciDeviceRule[] {
  const { Privileged = false, DeviceCgroupRules = [] } = input.hostConfig;
  if (Privileged) {
    place("devices", "--privileged");
    return [{ allow: true, access: "rwm" }];
  }
  const rules: OciDeviceRule[] = [...defaultDeviceRules];
  const add = (rule: OciDeviceRule, words: string) => {
    place(`devices/${rules.length}`, words);
    rules.push(rule);
  };
  for (const { rule, origin } of buildDevices(input)) if (rule !== undefined) add(rule, origin);
  for (const text of DeviceCgroupRules) add(parseDeviceRule(text), `--device-cgroup-rule '${text}'`);
  return rules;
}

function parseDeviceRule(text: string): OciDeviceRule {
  const [, type, major, minor, access] = rulePattern.exec(text) ?? [];
  if ((type !== "a" && type !== "b" && type !== "c") || access === undefined)
    throw invalidParameter(`invalid device cgroup rule format: '${text}'`);
  return {
    allow: true,
    type,
    access,
    ...(major !== "*" && { major: Number(major) }),
    ...(minor !== "*" && { minor: Number(minor) }),
  };
}
