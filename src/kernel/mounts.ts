import { addon } from "./addon.ts";
import { call, callAsync, check, nr } from "./syscall.ts";

/** mount(2). */
export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_REMOUNT = 0x20;
export const MS_BIND = 0x1000;
export const MS_MOVE = 0x2000;
export const MS_REC = 0x4000;
export const MS_UNBINDABLE = 0x20000;
export const MS_PRIVATE = 0x40000;
export const MS_SLAVE = 0x80000;
export const MS_SHARED = 0x100000;

/** umount2(2). */
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;

/** mount_setattr(2), fsmount(2). */
export const MOUNT_ATTR_RDONLY = 0x1;
export const MOUNT_ATTR_NOSUID = 0x2;
export const MOUNT_ATTR_NODEV = 0x4;
export const MOUNT_ATTR_NOEXEC = 0x8;
export const MOUNT_ATTR_IDMAP = 0x100000;

/** open_tree(2). */
export const OPEN_TREE_CLONE = 1;
export const AT_RECURSIVE = 0x8000;
export const AT_EMPTY_PATH = 0x1000;
const O_CLOEXEC = 0x80000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;

export interface MountRequest {
  /** A device, a directory to bind, or any word for file systems without a source. */
  readonly source: string;
  readonly target: string;
  /** Empty for binds and propagation changes. */
  readonly fstype: string;
  /** MS_* */
  readonly flags: number;
  /** Options of the file system, comma separated; at most 4095 bytes. */
  readonly data?: string;
}

export function mount(request: MountRequest): void {
  const { source, target, fstype, flags, data } = request;
  call("mount", `mount ${target}`, source, target, fstype || null, flags, data || null);
}

/** Makes one directory or file (with `recursive`: all mounts below it) visible at `target` too. */
export function bindMount(source: string, target: string, options: { recursive?: boolean } = {}): void {
  const flags = MS_BIND | (options.recursive ? MS_REC : 0);
  mount({ source, target, fstype: "", flags });
}

/** Flags: MNT_DETACH, UMOUNT_NOFOLLOW, … */
export function unmount(target: string, flags = 0): void {
  call("umount2", `unmount ${target}`, target, flags);
}

/** Unmounting can sleep in the kernel for milliseconds: this form keeps the event loop free. */
export async function unmountAsync(target: string, flags = 0): Promise<void> {
  await callAsync("umount2", `unmount ${target}`, target, flags);
}

/** A detached mount's descriptor: open_tree(2); flags OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH. */
export function openTree(directoryFd: number, path: string, flags: number): number {
  return call("open_tree", `open tree ${path}`, directoryFd, path, flags | O_CLOEXEC);
}

/** Attaches a detached mount (of `openTree` or `fsmount`) to a path. */
export function moveMount(mountFd: number, directoryFd: number, target: string): void {
  call("move_mount", `mount ${target}`, mountFd, "", directoryFd, target, MOVE_MOUNT_F_EMPTY_PATH);
}

export interface MountAttributeChange {
  /** MOUNT_ATTR_* to set and to clear. */
  readonly set: number;
  readonly clear: number;
  /** MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, or 0. */
  readonly propagation?: number;
  /** With MOUNT_ATTR_IDMAP. */
  readonly userNamespaceFd?: number;
}

/** mount_setattr(2); flags AT_RECURSIVE, AT_EMPTY_PATH. */
export function setMountAttributes(
  directoryFd: number,
  path: string,
  flags: number,
  change: MountAttributeChange,
): void {
  const attributes = new BigUint64Array([
    BigInt(change.set),
    BigInt(change.clear),
    BigInt(change.propagation ?? 0),
    BigInt(change.userNamespaceFd ?? 0),
  ]);
  const bytes = new Uint8Array(attributes.buffer);
  const what = `change attributes of mount ${path || `of descriptor ${directoryFd}`}`;
  call("mount_setattr", what, directoryFd, path, flags, bytes, bytes.length);
}

/** A file system that is being configured; close the descriptor when done. */
export function fsopen(fstype: string): number {
  return call("fsopen", `open file system ${fstype}`, fstype, FSOPEN_CLOEXEC);
}

const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;

/** Sets `key` to `value`, or the flag `key`. Returns -errno on failure: fsLog() tells more. */
export function fsconfigSet(fsFd: number, key: string, value?: string): number {
  return value === undefined
    ? addon.syscall(nr.fsconfig, fsFd, FSCONFIG_SET_FLAG, key, null, 0)
    : addon.syscall(nr.fsconfig, fsFd, FSCONFIG_SET_STRING, key, value, 0);
}

/** Creates the superblock from what was set. Returns 0 or -errno. */
export function fsconfigCreate(fsFd: number): number {
  return addon.syscall(nr.fsconfig, fsFd, FSCONFIG_CMD_CREATE, null, null, 0);
}

/** A detached mount of the created file system; attributes MOUNT_ATTR_*. Its descriptor is the caller's. */
export function fsmount(fsFd: number, attributes: number, what: string): number {
  return check(addon.syscall(nr.fsmount, fsFd, FSMOUNT_CLOEXEC, attributes), what);
}

/** What the kernel had to say about failed configuration, joined by `; `; empty if nothing. */
export function fsLog(fsFd: number): string {
  const messages: string[] = [];
  const buffer = new Uint8Array(1024);
  for (;;) {
    const length = addon.syscall(nr.read, fsFd, buffer, buffer.length);
    if (length <= 0) return messages.join("; ");
    // Each message starts with its severity: "e ", "w ", "i ".
    messages.push(new TextDecoder().decode(buffer.subarray(0, length)).trim().slice(2));
  }
}
