import type { Digest } from "../../formats/digest.ts";
import { mountOverlay } from "../../kernel/mount-overlay.ts";
import {
  bindMount,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  setMountAttributes,
  UMOUNT_NOFOLLOW,
  unmount,
} from "../../kernel/mounts.ts";
import { AT_FDCWD } from "../../kernel/syscall.ts";
import type { Snapshotter } from "./contract.ts";
import { plainFormat } from "./overlay/mount-root.ts";

export interface ImageMount {
  /** Base first; at least one. */
  readonly chainIds: readonly Digest[];
  /** An empty directory: overlayfs wants two layers at least. */
  readonly emptyDirectory: string;
  readonly target: string;
}

/** On the host nothing of an image may act: no devices, no setuid. */
const attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

/** Mounts the layers of an image for reading. Errors: NotFound for a missing layer; System, as mountOverlay. */
export function mountImage(
  snapshots: Pick<Snapshotter, "layerFiles">,
  { chainIds, emptyDirectory, target }: ImageMount,
): void {
  const lower: string[] = [];
  const options = [...plainFormat];
  for (const chainId of chainIds.toReversed()) {
    const { directory, hidesBelow, form } = snapshots.layerFiles(chainId);
    if (form === "copy") {
      bindForReading(directory, target);
      return;
    }
    if (form === "overlay-user" && lower.length === 0) options.push("userxattr");
    lower.push(directory);
    if (hidesBelow) break;
  }
  mountOverlay({ lower: [...lower, emptyDirectory], target, options, attributes });
}

/** The tree of the topmost layer is the whole image. */
function bindForReading(directory: string, target: string): void {
  bindMount(directory, target);
  try {
    setMountAttributes(AT_FDCWD, target, 0, { set: attributes, clear: 0 });
  } catch (error) {
    unmount(target, MNT_DETACH | UMOUNT_NOFOLLOW);
    throw error;
  }
}
