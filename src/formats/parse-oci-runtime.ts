import { invalidParameter } from "../errors/platform-error.ts";
import {
  array,
  boolean,
  int32,
  int64,
  integer,
  Misfit,
  object,
  oneOf,
  type Reader,
  readJson,
  record,
  safeInteger,
  string,
  uint16,
  uint32,
  uint64,
} from "./json-shape.ts";
import {
  namespaceTypes,
  type OciBlockIo,
  type OciCapabilities,
  type OciCpu,
  type OciDevice,
  type OciDeviceRule,
  type OciHook,
  type OciHooks,
  type OciIdMapping,
  type OciIntelRdt,
  type OciIoPriority,
  type OciLinux,
  type OciMemory,
  type OciMemoryPolicy,
  type OciMount,
  type OciNamespace,
  type OciPersonality,
  type OciProcess,
  type OciResources,
  type OciRlimit,
  type OciRoot,
  type OciScheduler,
  type OciSeccomp,
  type OciSpec,
  type OciSyscallArgument,
  type OciSyscallRule,
  type OciThrottleDevice,
  type OciTimeOffset,
  type OciUser,
  type OciWeightDevice,
  seccompActions,
  seccompOperators,
} from "./oci-runtime.ts";

const strings = array(string);

const idMappings = array(
  object<OciIdMapping>({ containerID: uint32, hostID: uint32, size: uint32 }, [
    "containerID",
    "hostID",
    "size",
  ]),
);

const mount = object<OciMount>(
  {
    destination: string,
    type: string,
    source: string,
    options: strings,
    uidMappings: idMappings,
    gidMappings: idMappings,
  },
  ["destination"],
);

/** As runc, and as `exec --user`. 4294967295 above all must not pass: to the kernel it is -1, "leave it", which is root. */
const userId = integer(0, 0x7fff_ffff);

const user = object<OciUser>({
  uid: userId,
  gid: userId,
  umask: integer(0, 0o777),
  additionalGids: array(userId),
  username: string,
});

const capabilities = object<OciCapabilities>({
  bounding: strings,
  effective: strings,
  permitted: strings,
  inheritable: strings,
  ambient: strings,
});

const scheduler = object<OciScheduler>(
  {
    policy: string,
    nice: int32,
    priority: int32,
    flags: strings,
    runtime: uint64,
    deadline: uint64,
    period: uint64,
  },
  ["policy"],
);

const readProcess = object<OciProcess>(
  {
    terminal: boolean,
    consoleSize: object<{ height: number; width: number }>({ height: uint16, width: uint16 }, [
      "height",
      "width",
    ]),
    user,
    args: strings,
    env: strings,
    cwd: string,
    capabilities,
    rlimits: array(object<OciRlimit>({ type: string, soft: uint64, hard: uint64 }, ["type", "soft", "hard"])),
    noNewPrivileges: boolean,
    apparmorProfile: string,
    selinuxLabel: string,
    oomScoreAdj: integer(-1000, 1000),
    scheduler,
    ioPriority: object<OciIoPriority>({ class: string, priority: int32 }, ["class"]),
    execCPUAffinity: object<{ initial?: string; final?: string }>({ initial: string, final: string }),
  },
  ["cwd"],
);

const hooks = array(
  object<OciHook>({ path: string, args: strings, env: strings, timeout: integer(1, 0x7fff_ffff) }, ["path"]),
);

const allHooks = object<OciHooks>({
  prestart: hooks,
  createRuntime: hooks,
  createContainer: hooks,
  startContainer: hooks,
  poststart: hooks,
  poststop: hooks,
});

const device = object<OciDevice>(
  {
    path: string,
    type: oneOf(["c", "b", "u", "p"]),
    major: safeInteger,
    minor: safeInteger,
    fileMode: integer(0, 0o7777),
    uid: userId,
    gid: userId,
  },
  ["path", "type"],
);

const deviceRule = object<OciDeviceRule>(
  { allow: boolean, type: oneOf(["a", "b", "c"]), major: safeInteger, minor: safeInteger, access: string },
  ["allow"],
);

const memory = object<OciMemory>({
  limit: int64,
  reservation: int64,
  swap: int64,
  kernel: int64,
  kernelTCP: int64,
  swappiness: uint64,
  disableOOMKiller: boolean,
  useHierarchy: boolean,
  checkBeforeUpdate: boolean,
});

const cpu = object<OciCpu>({
  shares: uint64,
  quota: int64,
  burst: uint64,
  period: uint64,
  realtimeRuntime: int64,
  realtimePeriod: uint64,
  cpus: string,
  mems: string,
  idle: int64,
});

const throttles = array(
  object<OciThrottleDevice>({ major: safeInteger, minor: safeInteger, rate: uint64 }, [
    "major",
    "minor",
    "rate",
  ]),
);

const blockIO = object<OciBlockIo>({
  weight: uint16,
  leafWeight: uint16,
  weightDevice: array(
    object<OciWeightDevice>({ major: safeInteger, minor: safeInteger, weight: uint16, leafWeight: uint16 }, [
      "major",
      "minor",
    ]),
  ),
  throttleReadBpsDevice: throttles,
  throttleWriteBpsDevice: throttles,
  throttleReadIOPSDevice: throttles,
  throttleWriteIOPSDevice: throttles,
});

const pageSize: Reader<string> = (value) => {
  const text = string(value);
  if (!/^[1-9][0-9]*[KMG]B$/.test(text)) throw new Misfit(`${text} is no page size like 2MB`);
  return text;
};

const resources = object<OciResources>({
  devices: array(deviceRule),
  memory,
  cpu,
  pids: object<{ limit?: number | bigint }>({ limit: int64 }),
  blockIO,
  hugepageLimits: array(
    object<{ pageSize: string; limit: number | bigint }>({ pageSize, limit: uint64 }, ["pageSize", "limit"]),
  ),
  network: object<NonNullable<OciResources["network"]>>({
    classID: uint32,
    priorities: array(
      object<{ name: string; priority: number }>({ name: string, priority: uint32 }, ["name", "priority"]),
    ),
  }),
  rdma: record(
    object<{ hcaHandles?: number; hcaObjects?: number }>({ hcaHandles: uint32, hcaObjects: uint32 }),
  ),
  unified: record(string),
});

const syscallArgument = object<OciSyscallArgument>(
  { index: integer(0, 5), value: uint64, valueTwo: uint64, op: oneOf(seccompOperators) },
  ["index", "value", "op"],
);

const syscallNames: Reader<readonly string[]> = (value) => {
  const names = strings(value);
  if (names.length === 0) throw new Misfit("is empty, at least one system call must be named");
  return names;
};

const readSeccomp = object<OciSeccomp>(
  {
    defaultAction: oneOf(seccompActions),
    defaultErrnoRet: integer(0, 4095),
    architectures: strings,
    flags: strings,
    listenerPath: string,
    listenerMetadata: string,
    syscalls: array(
      object<OciSyscallRule>(
        {
          names: syscallNames,
          action: oneOf(seccompActions),
          errnoRet: integer(0, 4095),
          args: array(syscallArgument),
        },
        ["names", "action"],
      ),
    ),
  },
  ["defaultAction"],
);

const timeOffset = object<OciTimeOffset>({ secs: safeInteger, nanosecs: uint32 });

const readNamespace = object<OciNamespace>({ type: oneOf(namespaceTypes), path: string }, ["type"]);

/** An empty path is none: Go's programs cannot tell them apart, and make a new namespace. */
const namespace: Reader<OciNamespace> = (value) => {
  const parsed = readNamespace(value);
  return parsed.path === "" ? { type: parsed.type } : parsed;
};

const linux = object<OciLinux>({
  namespaces: array(namespace),
  uidMappings: idMappings,
  gidMappings: idMappings,
  timeOffsets: object<NonNullable<OciLinux["timeOffsets"]>>({ monotonic: timeOffset, boottime: timeOffset }),
  devices: array(device),
  netDevices: record(object<{ name?: string }>({ name: string })),
  cgroupsPath: string,
  resources,
  intelRdt: object<OciIntelRdt>({
    closID: string,
    schemata: strings,
    l3CacheSchema: string,
    memBwSchema: string,
    enableMonitoring: boolean,
  }),
  memoryPolicy: object<OciMemoryPolicy>({ mode: string, nodes: string, flags: strings }, ["mode"]),
  sysctl: record(string),
  seccomp: readSeccomp,
  rootfsPropagation: string,
  maskedPaths: strings,
  readonlyPaths: strings,
  mountLabel: string,
  personality: object<OciPersonality>({ domain: string, flags: strings }, ["domain"]),
});

const spec = object<OciSpec>(
  {
    ociVersion: string,
    root: object<OciRoot>({ path: string, readonly: boolean }, ["path"]),
    hostname: string,
    domainname: string,
    mounts: array(mount),
    process: readProcess,
    hooks: allHooks,
    annotations: record(string),
    linux,
  },
  ["ociVersion"],
);

/** Semantic Versioning 2.0.0, major version 1. */
const supportedVersion = /^1\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/**
 * Reads a config.json.
 *
 * Errors: InvalidParameter naming the place in the document (`linux.resources.memory.limit: expected …`).
 * Spec:   OCI Runtime Specification 1.3, "Configuration"; config-schema.json.
 */
export function parseOciSpec(text: string, what = "config.json"): OciSpec {
  const parsed = readJson(text, what, spec);
  if (!supportedVersion.test(parsed.ociVersion))
    throw invalidParameter(`ociVersion: ${parsed.ociVersion} is no version 1.x of the runtime specification`);
  if (parsed.root === undefined) throw invalidParameter("root: is missing");
  return parsed;
}

/** Reads a process.json, as `exec --process FILE` takes it. Errors as above. */
export function parseOciProcess(text: string, what = "process.json"): OciProcess {
  return readJson(text, what, readProcess);
}

/** Reads a resources JSON, as `update --resources FILE` takes it. Errors as above. */
export function parseOciResources(text: string, what = "resources"): OciResources {
  return readJson(text, what, resources);
}
