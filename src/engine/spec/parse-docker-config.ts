import {
  array,
  boolean,
  entry,
  object,
  type Reader,
  record,
  safeInteger,
  string,
  unexpected,
} from "../../formats/json-shape.ts";
import type { Healthcheck } from "../../formats/oci-image.ts";
import type {
  BindOptions,
  ContainerConfig,
  DeviceMapping,
  ExecConfig,
  HostConfig,
  LogConfig,
  MountSpec,
  PortBindingSpec,
  RestartPolicy,
  ThrottleDevice,
  TmpfsOptions,
  Ulimit,
  WeightDevice,
} from "./docker-config.ts";

const strings = array(string);

/** Docker takes a command as one word, too. */
const words: Reader<readonly string[]> = (value) =>
  typeof value === "string" ? [string(value)] : strings(value);

/** Sets are objects whose values mean nothing. */
const anything: Reader<object> = (value) => {
  if (typeof value !== "object" || value === null) throw unexpected("an object", value);
  return value;
};

const healthcheck = object<Healthcheck>({
  Test: strings,
  Interval: safeInteger,
  Timeout: safeInteger,
  StartPeriod: safeInteger,
  StartInterval: safeInteger,
  Retries: safeInteger,
});

const containerConfig = object<ContainerConfig>({
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ExposedPorts: record(anything),
  Tty: boolean,
  OpenStdin: boolean,
  StdinOnce: boolean,
  Env: strings,
  Cmd: words,
  Entrypoint: words,
  Healthcheck: healthcheck,
  ArgsEscaped: boolean,
  Image: string,
  Volumes: record(anything),
  WorkingDir: string,
  NetworkDisabled: boolean,
  MacAddress: string,
  OnBuild: strings,
  Labels: record(string),
  StopSignal: string,
  StopTimeout: safeInteger,
  Shell: words,
});

/** Reads the top level of a create request. Errors: InvalidParameter naming the place. */
export const readContainerConfig = entry(containerConfig);

const throttles = array(object<ThrottleDevice>({ Path: string, Rate: safeInteger }));

const bindOptions = object<BindOptions>({
  Propagation: string,
  NonRecursive: boolean,
  CreateMountpoint: boolean,
  ReadOnlyNonRecursive: boolean,
  ReadOnlyForceRecursive: boolean,
});

const tmpfsOptions = object<TmpfsOptions>({
  SizeBytes: safeInteger,
  Mode: safeInteger,
  Options: array(strings),
});

const mount = object<MountSpec>({
  Type: string,
  Source: string,
  Target: string,
  ReadOnly: boolean,
  Consistency: string,
  BindOptions: bindOptions,
  VolumeOptions: anything,
  ImageOptions: anything,
  TmpfsOptions: tmpfsOptions,
});

const resources = {
  CpuShares: safeInteger,
  Memory: safeInteger,
  NanoCpus: safeInteger,
  CgroupParent: string,
  BlkioWeight: safeInteger,
  BlkioWeightDevice: array(object<WeightDevice>({ Path: string, Weight: safeInteger })),
  BlkioDeviceReadBps: throttles,
  BlkioDeviceWriteBps: throttles,
  BlkioDeviceReadIOps: throttles,
  BlkioDeviceWriteIOps: throttles,
  CpuPeriod: safeInteger,
  CpuQuota: safeInteger,
  CpuRealtimePeriod: safeInteger,
  CpuRealtimeRuntime: safeInteger,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: array(
    object<DeviceMapping>({ PathOnHost: string, PathInContainer: string, CgroupPermissions: string }),
  ),
  DeviceCgroupRules: strings,
  DeviceRequests: array(anything),
  KernelMemory: safeInteger,
  KernelMemoryTCP: safeInteger,
  MemoryReservation: safeInteger,
  MemorySwap: safeInteger,
  MemorySwappiness: safeInteger,
  OomKillDisable: boolean,
  Init: boolean,
  PidsLimit: safeInteger,
  Ulimits: array(object<Ulimit>({ Name: string, Soft: safeInteger, Hard: safeInteger })),
  CpuCount: safeInteger,
  CpuPercent: safeInteger,
  IOMaximumIOps: safeInteger,
  IOMaximumBandwidth: safeInteger,
};

const hostConfig = object<HostConfig>({
  ...resources,
  Binds: strings,
  ContainerIDFile: string,
  LogConfig: object<LogConfig>({ Type: string, Config: record(string) }),
  NetworkMode: string,
  PortBindings: record(nullableArray(object<PortBindingSpec>({ HostIp: string, HostPort: string }))),
  RestartPolicy: object<RestartPolicy>({ Name: string, MaximumRetryCount: safeInteger }),
  AutoRemove: boolean,
  VolumeDriver: string,
  VolumesFrom: strings,
  Mounts: array(mount),
  ConsoleSize: array(safeInteger),
  Annotations: record(string),
  CapAdd: words,
  CapDrop: words,
  CgroupnsMode: string,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: string,
  Cgroup: string,
  Links: strings,
  OomScoreAdj: safeInteger,
  PidMode: string,
  Privileged: boolean,
  PublishAllPorts: boolean,
  ReadonlyRootfs: boolean,
  SecurityOpt: strings,
  StorageOpt: record(string),
  Tmpfs: record(string),
  UTSMode: string,
  UsernsMode: string,
  ShmSize: safeInteger,
  Sysctls: record(string),
  Runtime: string,
  Isolation: string,
  MaskedPaths: strings,
  ReadonlyPaths: strings,
});

/** Reads `HostConfig`. Errors: InvalidParameter naming the place. */
export const readHostConfig = entry(hostConfig);

function nullableArray<T>(item: Reader<T>): Reader<readonly T[]> {
  const read = array(item);
  return (value) => (value === null ? [] : read(value));
}

const execConfig = object<ExecConfig>({
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  DetachKeys: string,
  Tty: boolean,
  ConsoleSize: array(safeInteger),
  Env: strings,
  Cmd: words,
  Privileged: boolean,
  User: string,
  WorkingDir: string,
});

/** Reads the body of an exec request. Errors: InvalidParameter naming the place. */
export const readExecConfig = entry(execConfig);
