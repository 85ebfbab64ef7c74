import { existsSync, lstatSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { mountErofs } from "../../../kernel/mount-erofs.ts";
import { MNT_DETACH, UMOUNT_NOFOLLOW, unmountAsync } from "../../../kernel/mounts.ts";
import { isErrno } from "../../../kernel/syscall.ts";
import { OverlayDriver } from "../overlay/overlay-driver.ts";
import type { SealRequest } from "../storage-driver.ts";
import type { TreeWork } from "../tree-work.ts";

/**
 * Layers are EROFS images: one file each instead of thousands, mounted at the first use and until they are removed. A
 * container's root is an overlayfs of them.
 */
export class ErofsDriver extends OverlayDriver {
  override readonly name = "erofs";

  constructor(
    private readonly work: Pick<TreeWork, "inherit" | "writeErofs" | "remove">,
    status: readonly (readonly [string, string])[] = [],
  ) {
    // No user namespace may mount such images: the other form is of no use.
    super("overlay", work, status);
  }

  override async seal(request: SealRequest): Promise<{ hidesLower: boolean }> {
    const sealed = await super.seal(request);
    const { place } = request;
    const [tree, directory] = [join(place, "tree"), join(place, "diff")];
    renameSync(directory, tree);
    await this.work.writeErofs({ directory: tree, image: imageOf(place) });
    mkdirSync(directory, { mode: 0o755 });
    await this.work.remove([tree]);
    return sealed;
  }

  override layerDirectory(place: string): string {
    const directory = join(place, "diff");
    if (isMounted(directory, place) || !existsSync(imageOf(place))) return directory;
    mountErofs(imageOf(place), directory);
    return directory;
  }

  override async release(place: string): Promise<void> {
    const directory = join(place, "diff");
    try {
      await unmountAsync(directory, MNT_DETACH | UMOUNT_NOFOLLOW);
    } catch (error) {
      if (!isErrno(error, "EINVAL", "ENOENT", "ENOTDIR")) throw error; // it was never mounted
    }
  }
}

const imageOf = (place: string): string => join(place, "layer.erofs");

const isMounted = (directory: string, place: string): boolean =>
  lstatSync(directory, { throwIfNoEntry: false })?.dev !== lstatSync(place, { throwIfNoEntry: false })?.dev;
