import type { Healthcheck } from "../../formats/oci-image.ts";

/**
 * The parts of Docker's create request which describe the container itself, with the wire's names: Docker Engine API,
 * ContainerConfig and HostConfig. Read by `parse-docker-config.ts`; an absent property and a null are the same.
 */
export interface ContainerConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  /** `USER[:GROUP]`, names or numbers. */
  readonly User?: string;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  /** `NAME=value`; `NAME` alone takes a variable of the defaults away. */
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Healthcheck?: Healthcheck;
  readonly ArgsEscaped?: boolean;
  readonly Image?: string;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly NetworkDisabled?: boolean;
  readonly MacAddress?: string;
  readonly OnBuild?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  /** Seconds. */
  readonly StopTimeout?: number;
  readonly Shell?: readonly string[];
}

/** Limits: the part of HostConfig which `update` can change too. Bytes, unless the name says otherwise. */
export interface Resources {
  readonly CpuShares?: number;
  readonly Memory?: number;
  readonly NanoCpus?: number;
  readonly CgroupParent?: string;
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly WeightDevice[];
  readonly BlkioDeviceReadBps?: readonly ThrottleDevice[];
  readonly BlkioDeviceWriteBps?: readonly ThrottleDevice[];
  readonly BlkioDeviceReadIOps?: readonly ThrottleDevice[];
  readonly BlkioDeviceWriteIOps?: readonly ThrottleDevice[];
  /** Microseconds. */
  readonly CpuPeriod?: number;
  readonly CpuQuota?: number;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
  /** A list like `0-3,8`. */
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly Devices?: readonly DeviceMapping[];
  readonly DeviceCgroupRules?: readonly string[];
  readonly DeviceRequests?: readonly object[];
  readonly KernelMemory?: number;
  readonly KernelMemoryTCP?: number;
  readonly MemoryReservation?: number;
  /** Memory and swap together; -1 is unlimited, 0 is twice the memory. */
  readonly MemorySwap?: number;
  readonly MemorySwappiness?: number;
  readonly OomKillDisable?: boolean;
  readonly Init?: boolean;
  readonly PidsLimit?: number;
  readonly Ulimits?: readonly Ulimit[];
  readonly CpuCount?: number;
  readonly CpuPercent?: number;
  readonly IOMaximumIOps?: number;
  readonly IOMaximumBandwidth?: number;
}

export interface HostConfig extends Resources {
  /** `SOURCE:DESTINATION[:OPTIONS]`. */
  readonly Binds?: readonly string[];
  readonly ContainerIDFile?: string;
  readonly LogConfig?: LogConfig;
  readonly NetworkMode?: string;
  readonly PortBindings?: Readonly<Record<string, readonly PortBindingSpec[]>>;
  readonly RestartPolicy?: RestartPolicy;
  readonly AutoRemove?: boolean;
  readonly VolumeDriver?: string;
  readonly VolumesFrom?: readonly string[];
  readonly Mounts?: readonly MountSpec[];
  /** Height, width. */
  readonly ConsoleSize?: readonly number[];
  readonly Annotations?: Readonly<Record<string, string>>;
  readonly CapAdd?: readonly string[];
  readonly CapDrop?: readonly string[];
  readonly CgroupnsMode?: string;
  readonly Dns?: readonly string[];
  readonly DnsOptions?: readonly string[];
  readonly DnsSearch?: readonly string[];
  readonly ExtraHosts?: readonly string[];
  readonly GroupAdd?: readonly string[];
  readonly IpcMode?: string;
  readonly Cgroup?: string;
  readonly Links?: readonly string[];
  readonly OomScoreAdj?: number;
  readonly PidMode?: string;
  readonly Privileged?: boolean;
  readonly PublishAllPorts?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly SecurityOpt?: readonly string[];
  readonly StorageOpt?: Readonly<Record<string, string>>;
  /** Options by destination. */
  readonly Tmpfs?: Readonly<Record<string, string>>;
  readonly UTSMode?: string;
  readonly UsernsMode?: string;
  readonly ShmSize?: number;
  readonly Sysctls?: Readonly<Record<string, string>>;
  readonly Runtime?: string;
  readonly Isolation?: string;
  readonly MaskedPaths?: readonly string[];
  readonly ReadonlyPaths?: readonly string[];
}

export interface LogConfig {
  readonly Type?: string;
  readonly Config?: Readonly<Record<string, string>>;
}

export interface PortBindingSpec {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

export interface RestartPolicy {
  readonly Name?: string;
  readonly MaximumRetryCount?: number;
}

export interface DeviceMapping {
  readonly PathOnHost?: string;
  readonly PathInContainer?: string;
  readonly CgroupPermissions?: string;
}

export interface WeightDevice {
  readonly Path?: string;
  readonly Weight?: number;
}

export interface ThrottleDevice {
  readonly Path?: string;
  readonly Rate?: number;
}

export interface Ulimit {
  readonly Name?: string;
  readonly Soft?: number;
  readonly Hard?: number;
}

export interface MountSpec {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: BindOptions;
  readonly VolumeOptions?: object;
  readonly ImageOptions?: object;
  readonly TmpfsOptions?: TmpfsOptions;
}

export interface BindOptions {
  readonly Propagation?: string;
  readonly NonRecursive?: boolean;
  readonly CreateMountpoint?: boolean;
  readonly ReadOnlyNonRecursive?: boolean;
  readonly ReadOnlyForceRecursive?: boolean;
}

export interface TmpfsOptions {
  readonly SizeBytes?: number;
  /** Permission bits. */
  readonly Mode?: number;
  /** `[["noexec"], ["size", "1m"]]`. */
  readonly Options?: readonly (readonly string[])[];
}

/** The body of `POST /containers/{id}/exec`. */
export interface ExecConfig {
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly DetachKeys?: string;
  readonly Tty?: boolean;
  readonly ConsoleSize?: readonly number[];
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Privileged?: boolean;
  readonly User?: string;
  readonly WorkingDir?: string;
}
