import { chmodSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { bindMount } from "../../../kernel/mounts.ts";
import type { MountedRoot } from "../contract.ts";
import type { SealRequest, StorageDriver } from "../storage-driver.ts";
import type { TreeWork } from "../tree-work.ts";

/**
 * For file systems on which overlayfs cannot stand. A layer is the whole tree up to it, which shares its files with the
 * trees below by hard links; a container's root is a copy, with shared blocks where the file system can.
 */
export class VfsDriver implements StorageDriver {
  readonly name = "vfs";
  readonly rootForm = "copy";
  readonly whiteouts = "names";
  readonly status = undefined;

  constructor(private readonly trees: Pick<TreeWork, "apply" | "clone" | "remove">) {}

  async seal({ place, lower: [base], impliedDirectories }: SealRequest): Promise<{ hidesLower: boolean }> {
    const [layer, tree] = [join(place, "changes"), join(place, "diff")];
    renameSync(tree, layer);
    mkdirSync(tree, { mode: 0o755 });
    await this.trees.apply({ base, layer, impliedDirectories, tree });
    await this.trees.remove([layer]);
    return { hidesLower: true };
  }

  layerDirectory(place: string): string {
    return join(place, "diff");
  }

  async release(): Promise<void> {}

  async fillTop(upper: string, [tree]: readonly string[], init: string | undefined): Promise<void> {
    if (tree === undefined) chmodSync(upper, 0o755);
    else await this.trees.clone({ from: tree, to: upper, files: "copy" });
    if (init === undefined) return;
    const layer = `${upper}-init`;
    mkdirSync(layer);
    await this.trees.clone({ from: init, to: layer, files: "copy" });
    await this.trees.apply({ base: undefined, layer, impliedDirectories: [""], tree: upper });
    await this.trees.remove([layer]);
  }

  mountRoot({ upper, merged }: MountedRoot): void {
    bindMount(upper, merged);
  }
}
