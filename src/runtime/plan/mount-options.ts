import type { MountAttributes } from "../../kernel/steps.ts";

/** linux/mount.h, MOUNT_ATTR_*: mount_setattr(2), fsmount(2). */
export const mountAttribute = {
  RDONLY: 0x01,
  NOSUID: 0x02,
  NODEV: 0x04,
  NOEXEC: 0x08,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  /** Both bits of the access time setting; RELATIME is neither of them. */
  ATIME: 0x70,
  NODIRATIME: 0x80,
  NOSYMFOLLOW: 0x200000,
} as const;

/** mount(2), "Changing the propagation type". */
export const propagationFlag = {
  REC: 0x4000,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
} as const;

const { RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, STRICTATIME, ATIME, NODIRATIME, NOSYMFOLLOW } =
  mountAttribute;

/** What each option sets and clears; with `r` before it, it holds for the mounts below too. */
const attributeOptions: Record<string, MountAttributes> = {
  ro: { set: RDONLY, clear: 0 },
  rw: { set: 0, clear: RDONLY },
  nosuid: { set: NOSUID, clear: 0 },
  suid: { set: 0, clear: NOSUID },
  nodev: { set: NODEV, clear: 0 },
  dev: { set: 0, clear: NODEV },
  noexec: { set: NOEXEC, clear: 0 },
  exec: { set: 0, clear: NOEXEC },
  nodiratime: { set: NODIRATIME, clear: 0 },
  diratime: { set: 0, clear: NODIRATIME },
  nosymfollow: { set: NOSYMFOLLOW, clear: 0 },
  symfollow: { set: 0, clear: NOSYMFOLLOW },
  noatime: { set: NOATIME, clear: ATIME },
  atime: { set: 0, clear: ATIME },
  relatime: { set: 0, clear: ATIME },
  norelatime: { set: 0, clear: ATIME },
  strictatime: { set: STRICTATIME, clear: ATIME },
  nostrictatime: { set: 0, clear: ATIME },
};

const propagationOptions: Record<string, number> = {
  shared: propagationFlag.SHARED,
  slave: propagationFlag.SLAVE,
  private: propagationFlag.PRIVATE,
  unbindable: propagationFlag.UNBINDABLE,
};

/** MS_SHARED … of `shared`, `rshared` and so on; undefined for another word. */
export function parsePropagation(option: string): number | undefined {
  const plain = propagationOptions[option];
  if (plain !== undefined) return plain;
  const recursive = option.startsWith("r") ? propagationOptions[option.slice(1)] : undefined;
  return recursive === undefined ? undefined : recursive | propagationFlag.REC;
}

/**
 * Flags of the file system, not of the mount: fsconfig(FSCONFIG_SET_FLAG). Those with an empty word are what the kernel does
 * by itself; `silent` and `loud` tell only how much it writes to its log, and fsopen(2) has no such choice.
 */
const fileSystemFlags: Record<string, string> = {
  sync: "sync",
  async: "async",
  dirsync: "dirsync",
  lazytime: "lazytime",
  nolazytime: "nolazytime",
  mand: "mand",
  nomand: "nomand",
  iversion: "iversion",
  noiversion: "noiversion",
  silent: "",
  loud: "",
  defaults: "",
};

export interface MountOptions {
  readonly bind: "no" | "bind" | "rbind";
  readonly remount: boolean;
  readonly attributes: MountAttributes;
  /** Of the `r` forms (rro, rnosuid, …): for the mounts below too. */
  readonly recursiveAttributes: MountAttributes;
  /** MS_SHARED …, or 0. */
  readonly propagation: number;
  readonly idMap: "no" | "idmap" | "ridmap";
  readonly copyUp: boolean;
  /** For the file system itself, in order. */
  readonly data: readonly string[];
}

/**
 * Sorts the options of a mount; what is no option of mount(8) is data for the file system.
 * Spec: OCI Runtime Specification, "Linux mount options".
 */
export function parseMountOptions(options: readonly string[]): MountOptions {
  const own = { set: 0, clear: 0 };
  const recursive = { set: 0, clear: 0 };
  const data: string[] = [];
  let bind: MountOptions["bind"] = "no";
  let idMap: MountOptions["idMap"] = "no";
  let propagation = 0;
  let remount = false;
  let copyUp = false;
  for (const option of options) {
    const attribute = attributeOptions[option];
    const flag = fileSystemFlags[option];
    const below = option.startsWith("r") ? attributeOptions[option.slice(1)] : undefined;
    const propagated = parsePropagation(option);
    if (option === "bind" || option === "rbind") bind = bind === "rbind" ? bind : option;
    else if (option === "idmap" || option === "ridmap") idMap = option;
    else if (option === "remount") remount = true;
    else if (option === "tmpcopyup") copyUp = true;
    else if (attribute !== undefined) merge(own, attribute);
    else if (propagated !== undefined) propagation = propagated;
    else if (below !== undefined) merge(recursive, below);
    else if (flag !== undefined) data.push(flag);
    else data.push(option);
  }
  return {
    bind,
    remount,
    attributes: own,
    recursiveAttributes: recursive,
    propagation,
    idMap,
    copyUp,
    data: data.filter((word) => word !== ""),
  };
}

/** A later option wins over an earlier one that says the opposite. */
function merge(target: { set: number; clear: number }, { set, clear }: MountAttributes): void {
  target.set = (target.set & ~clear) | set;
  target.clear = (target.clear & ~set) | clear;
}

/** Every option that is understood, for `features`. */
export const knownMountOptions: readonly string[] = [
  ...Object.keys(attributeOptions).flatMap((name) => [name, `r${name}`]),
  ...Object.keys(propagationOptions).flatMap((name) => [name, `r${name}`]),
  ...Object.keys(fileSystemFlags),
  ...["bind", "rbind", "idmap", "ridmap", "remount", "tmpcopyup"],
].sort();
