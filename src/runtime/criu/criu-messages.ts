/** The messages of `criu swrk` (images/rpc.proto of CRIU). Pure. */
import { decodeProtobuf, encodeProtobuf, type ProtobufField } from "../../formats/protobuf.ts";

export const criuRequestTypes = {
  dump: 1,
  restore: 2,
  preDump: 4,
  notify: 6,
  featureCheck: 9,
  version: 10,
} as const;
export type CriuRequestType = keyof typeof criuRequestTypes;

/** criu_cg_mode; `props` is left out, as callers of runc cannot ask for it. */
export const cgroupModes = { ignore: 0, soft: 3, full: 4, strict: 5 } as const;
export type CgroupMode = keyof typeof cgroupModes;

/** What stands at `key` in the container is `value` of the host. */
export interface CriuPair {
  readonly key: string;
  readonly value: string;
}

/** criu_opts. Descriptors are numbers in this process, but those of `inheritFds`. */
export interface CriuOptions {
  readonly imagesDirFd: number;
  readonly workDirFd: number;
  readonly logFile: string;
  readonly pid?: number;
  readonly root: string;
  readonly leaveRunning?: boolean;
  readonly extUnixSk?: boolean;
  readonly tcpEstablished?: boolean;
  readonly tcpSkipInFlight?: boolean;
  readonly shellJob?: boolean;
  readonly fileLocks?: boolean;
  readonly linkRemap?: boolean;
  readonly trackMem?: boolean;
  readonly autoDedup?: boolean;
  readonly lazyPages?: boolean;
  readonly evasiveDevices?: boolean;
  readonly rstSibling?: boolean;
  readonly orphanPtsMaster?: boolean;
  readonly notifyScripts?: boolean;
  readonly parentImg?: string;
  readonly freezeCgroup?: string;
  readonly pageServer?: { readonly address: string; readonly port: number };
  readonly manageCgroupsMode: CgroupMode;
  /** CLONE_* of namespaces whose content is not saved. */
  readonly emptyNs?: number;
  readonly statusFd?: number;
  readonly lsmProfile?: string;
  readonly lsmMountContext?: string;
  readonly external?: readonly string[];
  readonly externalMounts?: readonly CriuPair[];
  readonly joinNamespaces?: readonly CriuPair[];
  /** Controllers, empty for cgroup v2, and the directory below their mount. */
  readonly cgroupRoots?: readonly CriuPair[];
  readonly inheritFds?: readonly { readonly key: string; readonly fd: number }[];
}

const logLevelDebug = 4;

/** Fields that are one number, text or boolean each. */
const plainFields = {
  imagesDirFd: 1,
  pid: 2,
  leaveRunning: 3,
  extUnixSk: 4,
  tcpEstablished: 5,
  evasiveDevices: 6,
  shellJob: 7,
  fileLocks: 8,
  logFile: 10,
  notifyScripts: 12,
  root: 13,
  parentImg: 14,
  trackMem: 15,
  autoDedup: 16,
  workDirFd: 17,
  linkRemap: 18,
  rstSibling: 26,
  emptyNs: 38,
  freezeCgroup: 44,
  tcpSkipInFlight: 46,
  lazyPages: 48,
  statusFd: 49,
  orphanPtsMaster: 50,
  lsmProfile: 53,
  lsmMountContext: 63,
} as const satisfies Partial<Record<keyof CriuOptions, number>>;

/** criu_features: it answers to those that are asked for. */
const allFeatures = encodeProtobuf([
  [1, true],
  [2, true],
]);

export const encodeCriuRequest = (type: CriuRequestType, options?: CriuOptions): Uint8Array =>
  encodeProtobuf([
    [1, criuRequestTypes[type]],
    ...(options === undefined ? [] : [[2, encodeProtobuf(optionFields(options))] as const]),
    ...(type === "featureCheck" ? [[5, allFeatures] as const] : []),
  ]);

/** Lets criu go on behind a notification, or give up. */
export const encodeCriuNotified = (success: boolean): Uint8Array =>
  encodeProtobuf([
    [1, criuRequestTypes.notify],
    [3, success],
  ]);

function optionFields(options: CriuOptions): ProtobufField[] {
  const { pageServer, externalMounts = [], joinNamespaces = [], cgroupRoots = [] } = options;
  const plain = (Object.keys(plainFields) as (keyof typeof plainFields)[]).flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [[plainFields[name], value] as const];
  });
  const pairs = (field: number, list: readonly CriuPair[]) =>
    list.map(({ key, value }): ProtobufField => {
      const pair = encodeProtobuf([
        [1, key],
        [2, value],
      ]);
      return [field, pair];
    });
  return [
    ...plain,
    [9, logLevelDebug],
    [24, true],
    [34, cgroupModes[options.manageCgroupsMode]],
    ...(pageServer === undefined ? [] : [pageServerField(pageServer)]),
    ...pairs(23, externalMounts),
    ...pairs(25, cgroupRoots),
    ...pairs(39, joinNamespaces),
    ...(options.external ?? []).map((text): ProtobufField => [37, text]),
    ...(options.inheritFds ?? []).map(({ key, fd }): ProtobufField => {
      const inherited = encodeProtobuf([
        [1, key],
        [2, fd],
      ]);
      return [27, inherited];
    }),
  ];
}

function pageServerField({ address, port }: CriuOptions["pageServer"] & {}): ProtobufField {
  const server = encodeProtobuf([
    [1, address],
    [2, port],
  ]);
  return [11, server];
}

export interface CriuResponse {
  readonly type: number;
  readonly success: boolean;
  /** Positive errno, 0 where criu tells none. */
  readonly errno: number;
  readonly message: string;
  /** Of a restored process. */
  readonly pid: number;
  readonly notify: CriuNotification | undefined;
  /** 31701 for 3.17.1. */
  readonly version: number;
  readonly features: { readonly memoryTracking: boolean; readonly lazyPages: boolean };
}

/** criu waits at this point for an answer. */
export interface CriuNotification {
  readonly script: string;
  /** Of the process that it is about, or 0. */
  readonly pid: number;
}

/** Errors: RangeError for bytes that are no message. */
export function decodeCriuResponse(bytes: Uint8Array): CriuResponse {
  const fields = decodeProtobuf(bytes);
  const numberAt = (message: typeof fields, field: number) => {
    const value = message.get(field)?.[0];
    return typeof value === "bigint" ? Number(value) : 0;
  };
  const textAt = (message: typeof fields, field: number) => {
    const value = message.get(field)?.[0];
    return value instanceof Uint8Array ? Buffer.from(value).toString() : "";
  };
  const nested = (field: number) => {
    const value = fields.get(field)?.[0];
    return value instanceof Uint8Array ? decodeProtobuf(value) : undefined;
  };
  const restored = nested(4);
  const notify = nested(5);
  const features = nested(8);
  const version = nested(10);
  const flagAt = (message: typeof features, field: number) =>
    message !== undefined && numberAt(message, field) === 1;
  return {
    type: numberAt(fields, 1),
    success: numberAt(fields, 2) === 1,
    errno: Math.abs(numberAt(fields, 7)),
    message: textAt(fields, 9),
    pid: restored === undefined ? 0 : numberAt(restored, 1),
    notify: notify && { script: textAt(notify, 1), pid: numberAt(notify, 2) },
    features: { memoryTracking: flagAt(features, 1), lazyPages: flagAt(features, 2) },
    version:
      version === undefined
        ? 0
        : numberAt(version, 1) * 10_000 + numberAt(version, 2) * 100 + numberAt(version, 4),
  };
}
