import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { bindMount, MNT_DETACH, UMOUNT_NOFOLLOW, unmount } from "../../kernel/mounts.ts";
import { isErrno } from "../../kernel/syscall.ts";

const restoreRoot = (directory: string) => join(directory, "criu-root");

/**
 * The root of a container as a mount of its own below its directory, while it is restored: criu takes no other root.
 * Out: its path.
 */
export function mountRestoreRoot(directory: string, rootfs: string): string {
  const path = restoreRoot(directory);
  mkdirSync(path, { mode: 0o700 });
  bindMount(rootfs, path, { recursive: true });
  return path;
}

/** Fine where there is none. */
export function removeRestoreRoot(directory: string): void {
  const path = restoreRoot(directory);
  if (!existsSync(path)) return;
  try {
    unmount(path, MNT_DETACH | UMOUNT_NOFOLLOW);
  } catch (error) {
    if (!isErrno(error, "EINVAL")) throw error; // it is no mount
  }
  rmdirSync(path);
}
