/**
 * The config.json of an OCI bundle, Linux: OCI Runtime Specification 1.3, "Configuration", with its own field names.
 *
 * Values come in through `parseOciSpec` (parse-oci-runtime.ts), which refuses what is malformed; what is well formed but
 * cannot be carried out is refused by `runtime/plan/`. Unknown properties are dropped, as the specification demands.
 */

/** A 64-bit integer; a bigint when it does not fit a double exactly (RLIM_INFINITY is 2^64 - 1). */
export type Integer64 = number | bigint;

export interface OciSpec {
  readonly ociVersion: string;
  readonly root?: OciRoot;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly OciMount[];
  readonly process?: OciProcess;
  readonly hooks?: OciHooks;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: OciLinux;
}

export interface OciRoot {
  /** Absolute, or relative to the bundle. */
  readonly path: string;
  readonly readonly?: boolean;
}

export interface OciMount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly OciIdMapping[];
  readonly gidMappings?: readonly OciIdMapping[];
}

export interface OciProcess {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user?: OciUser;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly cwd: string;
  readonly capabilities?: OciCapabilities;
  readonly rlimits?: readonly OciRlimit[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly oomScoreAdj?: number;
  readonly scheduler?: OciScheduler;
  readonly ioPriority?: OciIoPriority;
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string };
}

export interface OciUser {
  readonly uid?: number;
  readonly gid?: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
  readonly username?: string;
}

export const capabilitySets = ["bounding", "effective", "permitted", "inheritable", "ambient"] as const;
export type CapabilitySet = (typeof capabilitySets)[number];
/** Names with `CAP_`. */
export type OciCapabilities = { readonly [set in CapabilitySet]?: readonly string[] };

export interface OciRlimit {
  /** `RLIMIT_NOFILE`. */
  readonly type: string;
  readonly soft: Integer64;
  readonly hard: Integer64;
}

export interface OciScheduler {
  readonly policy: string;
  readonly nice?: number;
  readonly priority?: number;
  readonly flags?: readonly string[];
  readonly runtime?: Integer64;
  readonly deadline?: Integer64;
  readonly period?: Integer64;
}

export interface OciIoPriority {
  readonly class: string;
  readonly priority?: number;
}

export const hookKinds = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;
export type HookKind = (typeof hookKinds)[number];
export type OciHooks = { readonly [kind in HookKind]?: readonly OciHook[] };

export interface OciHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export interface OciLinux {
  readonly namespaces?: readonly OciNamespace[];
  readonly uidMappings?: readonly OciIdMapping[];
  readonly gidMappings?: readonly OciIdMapping[];
  readonly timeOffsets?: { readonly monotonic?: OciTimeOffset; readonly boottime?: OciTimeOffset };
  readonly devices?: readonly OciDevice[];
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>;
  readonly cgroupsPath?: string;
  readonly resources?: OciResources;
  readonly intelRdt?: OciIntelRdt;
  readonly memoryPolicy?: OciMemoryPolicy;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly seccomp?: OciSeccomp;
  readonly rootfsPropagation?: string;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly personality?: OciPersonality;
}

export const namespaceTypes = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"] as const;

export interface OciNamespace {
  readonly type: (typeof namespaceTypes)[number];
  /** Absolute: the namespace to join. Without it a new one is made. */
  readonly path?: string;
}

export interface OciIdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface OciTimeOffset {
  readonly secs?: number;
  readonly nanosecs?: number;
}

export interface OciDevice {
  readonly path: string;
  /** `u` is an unbuffered character device, `p` a FIFO. */
  readonly type: "c" | "b" | "u" | "p";
  readonly major?: number;
  readonly minor?: number;
  /** Permission bits as in stat(2). */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface OciResources {
  readonly devices?: readonly OciDeviceRule[];
  readonly memory?: OciMemory;
  readonly cpu?: OciCpu;
  readonly pids?: { readonly limit?: Integer64 };
  readonly blockIO?: OciBlockIo;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Integer64 }[];
  readonly network?: {
    readonly classID?: number;
    readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
  };
  readonly rdma?: Readonly<Record<string, { readonly hcaHandles?: number; readonly hcaObjects?: number }>>;
  /** cgroup v2 files, written as they are. */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type?: "a" | "b" | "c";
  /** Absent or -1: all of them. */
  readonly major?: number;
  readonly minor?: number;
  /** A word of `r`, `w`, `m`. */
  readonly access?: string;
}

/** Bytes; -1 is unlimited. `swap` is memory and swap together. */
export interface OciMemory {
  readonly limit?: Integer64;
  readonly reservation?: Integer64;
  readonly swap?: Integer64;
  readonly kernel?: Integer64;
  readonly kernelTCP?: Integer64;
  readonly swappiness?: Integer64;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

/** Times in microseconds. */
export interface OciCpu {
  readonly shares?: Integer64;
  readonly quota?: Integer64;
  readonly burst?: Integer64;
  readonly period?: Integer64;
  readonly realtimeRuntime?: Integer64;
  readonly realtimePeriod?: Integer64;
  readonly cpus?: string;
  readonly mems?: string;
  readonly idle?: Integer64;
}

export interface OciBlockIo {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly OciWeightDevice[];
  readonly throttleReadBpsDevice?: readonly OciThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly OciThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly OciThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly OciThrottleDevice[];
}

export interface OciWeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface OciThrottleDevice {
  readonly major: number;
  readonly minor: number;
  /** Bytes or operations a second. */
  readonly rate: Integer64;
}

export interface OciIntelRdt {
  readonly closID?: string;
  readonly schemata?: readonly string[];
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableMonitoring?: boolean;
}

export interface OciMemoryPolicy {
  readonly mode: string;
  readonly nodes?: string;
  readonly flags?: readonly string[];
}

export interface OciPersonality {
  readonly domain: string;
  readonly flags?: readonly string[];
}

export const seccompActions = [
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY",
] as const;
export type SeccompAction = (typeof seccompActions)[number];

export const seccompOperators = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
] as const;
export type SeccompOperator = (typeof seccompOperators)[number];

export interface OciSeccomp {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly OciSyscallRule[];
}

export interface OciSyscallRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  /** All of them have to hold. */
  readonly args?: readonly OciSyscallArgument[];
}

export interface OciSyscallArgument {
  readonly index: number;
  readonly value: Integer64;
  readonly valueTwo?: Integer64;
  readonly op: SeccompOperator;
}
