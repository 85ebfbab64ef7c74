import type { DirectoryChoice } from "./criu-directories.ts";
import type { CgroupMode, CriuOptions } from "./criu-messages.ts";

/** What `checkpoint` and `restore` are asked for alike. */
export interface CriuSettings extends DirectoryChoice {
  readonly tcpEstablished: boolean;
  readonly extUnixSk: boolean;
  readonly shellJob: boolean;
  readonly fileLocks: boolean;
  readonly autoDedup: boolean;
  readonly lazyPages: boolean;
  readonly emptyNetwork: boolean;
  readonly cgroupMode: CgroupMode;
}

const CLONE_NEWNET = 0x40000000;

/** Pure. */
export const commonOptions = (settings: CriuSettings) =>
  ({
    tcpEstablished: settings.tcpEstablished,
    extUnixSk: settings.extUnixSk,
    shellJob: settings.shellJob,
    fileLocks: settings.fileLocks,
    autoDedup: settings.autoDedup,
    lazyPages: settings.lazyPages,
    ...(settings.emptyNetwork && { emptyNs: CLONE_NEWNET }),
    manageCgroupsMode: settings.cgroupMode,
    orphanPtsMaster: true,
  }) satisfies Partial<CriuOptions>;
