import type { HostConfig } from "./docker-config.ts";

/** Of runc's and Docker's default profile. oci-runtime.md, defaults. */
const maskedPaths = [
  "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
  "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** The host config as Docker shows it: every field is there, with its zero value. engine-api.yaml, HostConfig. */
export function completeHostConfig(given: HostConfig): object {
  const { LogConfig, NetworkMode, ...rest } = given;
  return {
    Binds: null,
    ContainerIDFile: "",
    PortBindings: {},
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    AutoRemove: false,
    VolumeDriver: "",
    VolumesFrom: null,
    ConsoleSize: [0, 0],
    CapAdd: null,
    CapDrop: null,
    CgroupnsMode: "private",
    Dns: [],
    DnsOptions: [],
    DnsSearch: [],
    ExtraHosts: null,
    GroupAdd: null,
    IpcMode: "private",
    Cgroup: "",
    Links: null,
    OomScoreAdj: 0,
    PidMode: "",
    Privileged: false,
    PublishAllPorts: false,
    ReadonlyRootfs: false,
    SecurityOpt: null,
    UTSMode: "",
    UsernsMode: "",
    ShmSize: 67108864,
    Runtime: "gantry",
    Isolation: "",
    CpuShares: 0,
    Memory: 0,
    NanoCpus: 0,
    CgroupParent: "",
    BlkioWeight: 0,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [],
    CpuPeriod: 0,
    CpuQuota: 0,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: "",
    CpusetMems: "",
    Devices: [],
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemoryReservation: 0,
    MemorySwap: 0,
    MemorySwappiness: null,
    OomKillDisable: null,
    PidsLimit: null,
    Ulimits: null,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    MaskedPaths: maskedPaths,
    ReadonlyPaths: readonlyPaths,
    ...withoutEmpty(rest),
    LogConfig: { Type: LogConfig?.Type || "json-file", Config: LogConfig?.Config ?? {} },
    NetworkMode: !NetworkMode || NetworkMode === "default" ? "bridge" : NetworkMode,
  };
}

/** A client's empty string means the default: `IpcMode: ""` is shown as `private`. */
const withoutEmpty = (given: object): object =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "" && value !== undefined));
