import { chmodSync, chownSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { setTimesAt } from "../../../kernel/files.ts";
import { AT_FDCWD } from "../../../kernel/syscall.ts";
import { getXattr } from "../../../kernel/xattrs.ts";
import { opaqueXattr } from "../../unpack/whiteout.ts";
import type { MountedRoot } from "../contract.ts";
import type { SealRequest, StorageDriver } from "../storage-driver.ts";
import type { TreeWork } from "../tree-work.ts";
import { mountRoot } from "./mount-root.ts";

export type OverlayForm = keyof typeof opaqueXattr;

/** Layers are directories, a container's root is an overlayfs of them. */
export class OverlayDriver implements StorageDriver {
  readonly name: string = "overlay2";
  readonly whiteouts: OverlayForm;

  constructor(
    readonly rootForm: OverlayForm,
    private readonly trees: Pick<TreeWork, "inherit">,
    readonly status: readonly (readonly [string, string])[] = [],
  ) {
    this.whiteouts = rootForm;
  }

  async seal({ place, parent, lower, impliedDirectories }: SealRequest): Promise<{ hidesLower: boolean }> {
    const directory = join(place, "diff");
    const xattr = opaqueXattr[this.rootForm];
    // Overlayfs itself takes no notice of it on the root of a layer.
    const hidesLower = getXattr(directory, xattr)?.[0] === 0x79;
    if (!hidesLower && parent !== undefined && impliedDirectories.length > 0) {
      await this.trees.inherit({ directory, paths: impliedDirectories, lower, opaqueXattr: xattr });
    }
    return { hidesLower };
  }

  layerDirectory(place: string): string {
    return join(place, "diff");
  }

  async release(_place: string): Promise<void> {}

  async fillTop(upper: string, [top]: readonly string[]): Promise<void> {
    copyRootAttributes(top, upper);
  }

  mountRoot(root: MountedRoot, options: { readonly isVolatile: boolean }): void {
    mountRoot(root, options);
  }
}

/** In the merged view the root directory's own attributes are those of the upper one. */
function copyRootAttributes(from: string | undefined, to: string): void {
  if (from === undefined) {
    chmodSync(to, 0o755);
    return;
  }
  const { uid, gid, mode, atimeNs, mtimeNs } = lstatSync(from, { bigint: true });
  chownSync(to, Number(uid), Number(gid));
  chmodSync(to, Number(mode) & 0o7777);
  setTimesAt(AT_FDCWD, to, { accessNs: atimeNs, modifyNs: mtimeNs });
}
