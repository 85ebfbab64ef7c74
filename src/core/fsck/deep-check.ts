import { lstatSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../errors/platform-error.ts";
import { digestHex } from "../../formats/digest.ts";
import { mountErofs } from "../../kernel/mount-erofs.ts";
import { MNT_DETACH, unmountAsync } from "../../kernel/mounts.ts";
import { isErrno } from "../../kernel/syscall.ts";
import type { Digest } from "../content/contract.ts";
import { recordedDriver } from "../snapshots/open-snapshotter.ts";
import { overlayFormHere } from "../snapshots/probe-storage.ts";
import type { LayerApplication } from "../snapshots/vfs/apply-layer.ts";
import type { LayerUnpacker } from "../unpack/contract.ts";
import { blobsByDiffId, imagesOf } from "./image-use.ts";
import { isUsable, type Survey, type SurveyedLayer } from "./survey.ts";

/** Long work on trees, off the event loop; unpack's WorkerPool does it. */
export interface TreeComparer extends LayerUnpacker {
  /** Differences for people, a few at most; `implied`: directories whose attributes are not the layer's own. */
  compareTrees(expected: string, actual: string, implied: readonly string[]): Promise<readonly string[]>;
  remove(directories: readonly string[]): Promise<void>;
  /** See `applyLayer`. */
  apply(application: LayerApplication): Promise<void>;
}

/**
 * Unpacks each layer's blob a second time and compares the two trees, file by file. Needs room on disk for one layer at
 * a time. Layers without a blob are left as they are: that is a problem of its own.
 */
export class DeepCheck {
  private readonly equal = new Set<string>();
  private count = 0;

  constructor(
    private readonly work: TreeComparer,
    private readonly signal: AbortSignal,
  ) {}

  async compare(survey: Survey): Promise<Map<Digest, SurveyedLayer>> {
    const blobs = blobsByDiffId(survey, imagesOf(survey));
    const compared = new Map(survey.layers);
    for (const [chainId, layer] of survey.layers) {
      const blob = blobs.get(layer.sidecar.diffId)?.find(({ digest }) => isUsable(survey, digest));
      const identity = `${chainId} ${lstatSync(layer.path, { throwIfNoEntry: false })?.ino}`;
      if (blob === undefined || this.equal.has(identity) || survey.memory?.isHeld(chainId)) continue;
      const path = survey.blobs.get(blob.digest)?.path ?? "";
      const differences = await this.differences(survey.root, blob.digest, path, layer);
      if (differences.length === 0) this.equal.add(identity);
      compared.set(chainId, { ...layer, differences });
    }
    return compared;
  }

  private async differences(
    root: string,
    blob: Digest,
    path: string,
    layer: SurveyedLayer,
  ): Promise<readonly string[]> {
    // An engine that starts after a crash empties this directory.
    const snapshots = join(root, "snapshots");
    const draft = join(snapshots, "drafts", `fsck-${process.pid}-${++this.count}`);
    const driver = recordedDriver(snapshots);
    const isWholeTree = driver === "vfs";
    mkdirSync(draft, { recursive: true, mode: 0o755 });
    try {
      const { impliedDirectories } = await this.work.unpack({
        layer: blob,
        source: { kind: "file", path },
        directory: draft,
        whiteouts: isWholeTree ? "names" : overlayFormHere(),
        diffId: layer.sidecar.diffId,
        signal: this.signal,
      });
      if (driver === "erofs") return await this.imageDifferences(layer.path, draft, impliedDirectories);
      if (!isWholeTree)
        return await this.work.compareTrees(draft, join(layer.path, "diff"), impliedDirectories);
      return await this.treeDifferences(snapshots, layer, { draft, impliedDirectories });
    } catch (error) {
      if (lstatSync(layer.path, { throwIfNoEntry: false }) === undefined) return []; // removed meanwhile
      if (isNoVerdict(error)) throw error;
      return [messageOf(error)];
    } finally {
      await this.work.remove([draft]);
    }
  }

  /** An image is mounted for it, also where no container uses it. */
  private async imageDifferences(path: string, draft: string, implied: readonly string[]) {
    const mounted = `${draft}-mounted`;
    mkdirSync(mounted);
    try {
      mountErofs(join(path, "layer.erofs"), mounted);
    } catch (error) {
      rmdirSync(mounted);
      // What the kernel says of bytes that are no such image; everything else is about the machine.
      if (isErrno(error, "EINVAL", "EUCLEAN", "EIO")) return [messageOf(error)];
      throw error;
    }
    try {
      return await this.work.compareTrees(draft, mounted, implied);
    } finally {
      await unmountAsync(mounted, MNT_DETACH);
      rmdirSync(mounted);
    }
  }

  /** A whole tree is compared with what the layer makes of the one below. */
  private async treeDifferences(
    snapshots: string,
    { path, sidecar: { parent } }: SurveyedLayer,
    { draft, impliedDirectories }: { draft: string; impliedDirectories: readonly string[] },
  ): Promise<readonly string[]> {
    const tree = `${draft}-tree`;
    const base = parent === undefined ? undefined : join(snapshots, "layers", digestHex(parent), "diff");
    mkdirSync(tree, { mode: 0o755 });
    try {
      await this.work.apply({ base, layer: draft, impliedDirectories, tree });
      return await this.work.compareTrees(tree, join(path, "diff"), impliedDirectories);
    } finally {
      await this.work.remove([tree]);
    }
  }
}

/** No judgement of the layer: the check itself could not be made. */
function isNoVerdict(error: unknown): boolean {
  return !(error instanceof Error && "kind" in error && error.kind === "InvalidParameter");
}
