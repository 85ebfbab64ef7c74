import { closeSync, openSync } from "node:fs";
import { PlatformError } from "../errors/platform-error.ts";
import { errnoName, errnoNumber, errnoText } from "./errno.ts";
import {
  fsconfigCreate,
  fsconfigSet,
  fsLog,
  fsmount,
  fsopen,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_RDONLY,
  moveMount,
} from "./mounts.ts";
import { AT_FDCWD, call } from "./syscall.ts";

const ENOTBLK = errnoNumber("ENOTBLK") ?? 15;

/** linux/loop.h. */
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_READ_ONLY = 1;
const LO_FLAGS_AUTOCLEAR = 4;
const loopConfigBytes = 304;
const loopFlagsOffset = 8 + 52;

/** Why this kernel mounts no EROFS images; undefined if it does. */
export function erofsRefusal(): string | undefined {
  try {
    closeSync(fsopen("erofs"));
    return undefined;
  } catch (error) {
    return `this kernel cannot mount EROFS images (${error instanceof Error ? error.message : error})`;
  }
}

/**
 * Mounts an EROFS image read-only: the file itself (Linux 6.12), or where the kernel wants a block device, a loop device
 * that goes with the mount. Synchronous. Errors: System, naming the image and errno.
 */
export function mountErofs(image: string, target: string, { loop = false } = {}): void {
  const fd = openSync(image, "r");
  try {
    // A descriptor's name is short enough for fsconfig(2), whatever the image's is.
    if (!loop && mountSource(`/proc/self/fd/${fd}`, image, target) !== -ENOTBLK) return;
    const device = attachLoop(fd, image);
    try {
      mountSource(device.path, image, target);
    } finally {
      closeSync(device.fd);
    }
  } finally {
    closeSync(fd);
  }
}

/** 0, or -ENOTBLK for a source that has to be a block device. */
function mountSource(source: string, image: string, target: string): number {
  const fs = fsopen("erofs");
  try {
    fsconfigSet(fs, "source", source);
    fsconfigSet(fs, "ro");
    const created = fsconfigCreate(fs);
    if (created === -ENOTBLK) return created;
    if (created < 0) throw refused(image, -created, fsLog(fs));
    const mount = fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, `mount ${image}`);
    try {
      moveMount(mount, AT_FDCWD, target);
    } finally {
      closeSync(mount);
    }
    return 0;
  } finally {
    closeSync(fs);
  }
}

function refused(image: string, errno: number, log: string): PlatformError {
  const detail = log === "" ? "" : ` (${log})`;
  return new PlatformError("System", `mount ${image}: ${errnoText(errno)}${detail}`, {
    code: `errno.${errnoName(errno)}`,
  });
}

/** A loop device ends with its last user: the caller's descriptor, and then the mount. */
function attachLoop(imageFd: number, image: string): { readonly path: string; readonly fd: number } {
  const control = openSync("/dev/loop-control", "r+");
  try {
    for (let attempt = 0; ; attempt++) {
      const number = call("ioctl", "find a free loop device", control, LOOP_CTL_GET_FREE, 0);
      const path = `/dev/loop${number}`;
      const fd = openSync(path, "r");
      try {
        call("ioctl", `attach ${image} to ${path}`, fd, LOOP_CONFIGURE, loopConfig(imageFd));
        return { path, fd };
      } catch (error) {
        closeSync(fd);
        // Somebody else took it meanwhile.
        const isTaken = error instanceof PlatformError && error.code === "errno.EBUSY";
        if (!isTaken || attempt === maxAttempts) throw error;
      }
    }
  } finally {
    closeSync(control);
  }
}

const maxAttempts = 20;

function loopConfig(imageFd: number): Uint8Array {
  const config = new Uint8Array(loopConfigBytes);
  const view = new DataView(config.buffer);
  view.setUint32(0, imageFd, true);
  view.setUint32(loopFlagsOffset, LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR, true);
  return config;
}
