import { renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { chainId as chainIdOf } from "../../formats/chain-id.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import type { ContentStore, Digest } from "../content/contract.ts";
import type { Lease } from "../leases/leases.ts";
import type { MountedRoot, Snapshotter } from "../snapshots/contract.ts";
import type { LayerUnpacker } from "../unpack/contract.ts";
import type { LayerCompression, PackedLayer } from "./contract.ts";
import type { LayerPacker } from "./layer-packer.ts";

export interface LayerMakerOptions {
  readonly content: ContentStore;
  readonly snapshots: Pick<Snapshotter, "draft" | "scratch">;
  readonly workers: LayerPacker & LayerUnpacker;
  /** On the file system of the content store. */
  readonly spoolDirectory: string;
  readonly compression: LayerCompression;
}

/** A layer that is stored and unpacked. The caller's lease holds both. */
export interface NewLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface TopToCommit {
  /** For errors: `of container web`. */
  readonly name: string;
  readonly root: Pick<MountedRoot, "upper" | "lower" | "init" | "form">;
  /** The image's top layer. */
  readonly parent: Digest | undefined;
  /** Relative paths of what the engine made. */
  readonly skipped: readonly string[];
  readonly lease: Lease;
  readonly signal: AbortSignal;
}

/** Makes layers that no registry sent. */
export class LayerMaker {
  #lastSpool = 0;

  constructor(private readonly options: LayerMakerOptions) {}

  /**
   * The layer that a container's top is; undefined when nothing is in it. `onCaptured` is called as soon as the top is
   * copied: what the container writes after that is no part of the layer, and packing it takes the longest.
   */
  async fromTop(top: TopToCommit, onCaptured: () => Promise<void>): Promise<NewLayer | undefined> {
    const { workers, snapshots, compression } = this.options;
    const { name, root, parent, skipped, lease, signal } = top;
    using scratch = snapshots.scratch();
    const { directory, whiteouts } = scratch;
    const { upper, init, form } = root;
    // A copy has what the init layer has; an overlay hides it only where it has something else.
    const lower = form === "copy" ? root.lower : root.lower.filter((path) => path !== init);
    const captured = await workers
      .capture({ name, upper, lower, form, skipped, directory, whiteouts }, signal)
      .finally(onCaptured);
    if (captured.entries === 0) return undefined;
    await using spool = this.#spool();
    const packed = await workers.pack({ directory, whiteouts, path: spool.path, compression }, signal);
    const chainId = await this.#store(packed, spool.path, parent, lease);
    const draft = await snapshots.draft(chainId, parent, signal);
    if (draft !== undefined) {
      try {
        renameSync(directory, draft.directory);
        const { sizeBytes } = captured;
        // The tar does not describe the root: it is the parent's for whoever pulls the image, too.
        await draft.commit({ diffId: packed.diffId, sizeBytes, impliedDirectories: [""] });
      } finally {
        await draft.discard();
      }
    }
    return newLayer(packed);
  }

  /** A base layer from a tar, plain or compressed. Errors: InvalidParameter for what is no tar, or hostile. */
  async fromArchive(
    source: AsyncIterable<Uint8Array>,
    { lease, signal }: { lease: Lease; signal: AbortSignal },
  ): Promise<NewLayer> {
    const { workers, snapshots, content, compression } = this.options;
    await using spool = this.#spool();
    const packed = await workers.packArchive({ path: spool.path, compression }, source, signal);
    const { diffId, digest } = packed;
    const chainId = await this.#store(packed, spool.path, undefined, lease);
    const draft = await snapshots.draft(chainId, undefined, signal);
    if (draft !== undefined) {
      try {
        const { directory, whiteouts } = draft;
        const blob = { kind: "file", path: content.path(digest) } as const;
        await draft.commit(
          await workers.unpack({ layer: digest, source: blob, directory, whiteouts, diffId, signal }),
        );
      } finally {
        await draft.discard();
      }
    }
    return newLayer(packed);
  }

  /** Held before it is looked for. */
  async #store(packed: PackedLayer, path: string, parent: Digest | undefined, lease: Lease): Promise<Digest> {
    const chainId = chainIdOf(parent, packed.diffId);
    lease.holdBlob(packed.digest);
    lease.holdLayer(chainId);
    await this.options.content.adopt(path, packed);
    return chainId;
  }

  #spool(): { path: string } & AsyncDisposable {
    const path = join(this.options.spoolDirectory, `layer-${++this.#lastSpool}`);
    return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
  }
}

const layerTypes: Record<LayerCompression, string> = {
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

const newLayer = ({ diffId, digest, size, compression }: PackedLayer): NewLayer => ({
  diffId,
  descriptor: { mediaType: layerTypes[compression], digest, size },
});
