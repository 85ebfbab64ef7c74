import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../errors/platform-error.ts";
import { mknodat, S_IFCHR } from "../../kernel/files.ts";
import { mountOverlay } from "../../kernel/mount-overlay.ts";
import { MNT_DETACH, unmount } from "../../kernel/mounts.ts";
import { AT_FDCWD } from "../../kernel/syscall.ts";
import { setXattr } from "../../kernel/xattrs.ts";
import { opaqueXattr } from "../unpack/whiteout.ts";
import type { OverlayForm } from "./overlay/overlay-driver.ts";

/** Magic numbers (linux/magic.h) with the names that Docker's `info` has for them. */
const fileSystems = new Map([
  [0xef53, "extfs"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
  [0x6969, "nfs"],
  [0x65735546, "fuse"],
  [0x794c7630, "overlayfs"],
  [0x2fc12fc1, "zfs"],
  [0xf2f52010, "f2fs"],
]);

export function backingFileSystem(directory: string): string {
  return fileSystems.get(statfsSync(directory).type) ?? "<unknown>";
}

/** A user namespace of its own: the trusted.* attributes of overlayfs are out of reach there. user_namespaces(7). */
export function overlayFormHere(uidMap = readFileSync("/proc/self/uid_map", "utf8")): OverlayForm {
  return /^\s*0\s+0\s+4294967295\s*$/.test(uidMap) ? "overlay" : "overlay-user";
}

/**
 * Tries all that overlay layers need in the snapshots of `directory`: whiteouts, opaque directories, a writable mount.
 * Undefined when it works, else why not.
 */
export function probeOverlay(directory: string, form: OverlayForm): string | undefined {
  // Where the next start clears away what a crash leaves.
  const drafts = join(directory, "drafts");
  mkdirSync(drafts, { recursive: true, mode: 0o700 });
  const place = mkdtempSync(join(drafts, "probe-"));
  const [lower, upper, work, target] = ["lower", "upper", "work", "merged"].map((name) => join(place, name));
  if (!lower || !upper || !work || !target) return undefined;
  try {
    for (const path of [lower, upper, work, target]) mkdirSync(path);
    mknodat(AT_FDCWD, join(upper, "whiteout"), S_IFCHR, 0);
    setXattr(upper, opaqueXattr[form], Buffer.from("y"));
    const options = form === "overlay-user" ? ["userxattr"] : [];
    mountOverlay({ lower: [lower], upper, work, target, options });
    unmount(target, MNT_DETACH);
    return undefined;
  } catch (error) {
    const reason = messageOf(error).replaceAll(`${place}/`, "");
    return `overlayfs does not work on ${directory} (${backingFileSystem(directory)}): ${reason}`;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
