import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import { type Digest, digestOf } from "../../formats/digest.ts";
import { KeyedLock } from "../content/keyed-lock.ts";
import type { CommittedLayer, LayerDraft, Snapshotter } from "../snapshots/contract.ts";
import type { LayerUnpacker, UnpackedLayer, UnpackRequest } from "../unpack/contract.ts";

/** The part of a snapshotter that images and transfers need. */
export type Layers = Pick<Snapshotter, "layer" | "layers" | "parent" | "draft" | "removeLayer">;

/** For tests without root: layers that exist only by name. */
export class FakeLayers implements Layers {
  readonly committed = new Map<Digest, CommittedLayer>();
  /** Layers that a container stands on. */
  readonly inUse = new Set<Digest>();
  openDrafts = 0;
  private readonly turns = new KeyedLock();

  layer(chainId: Digest): CommittedLayer | undefined {
    return this.committed.get(chainId);
  }

  layers(): CommittedLayer[] {
    return [...this.committed.values()];
  }

  /** Nobody has a writable top here. */
  parent(): undefined {}

  async draft(
    chainId: Digest,
    parent: Digest | undefined,
    signal?: AbortSignal,
  ): Promise<LayerDraft | undefined> {
    const turn = await this.turns.acquire(chainId, signal);
    if (this.committed.has(chainId)) {
      turn[Symbol.dispose]();
      return undefined;
    }
    this.openDrafts++;
    let open = true;
    const end = async () => {
      if (open) this.openDrafts--;
      open = false;
      turn[Symbol.dispose]();
    };
    const commit = async ({ diffId, sizeBytes }: { diffId: Digest; sizeBytes: number }) => {
      if (parent !== undefined && !this.committed.has(parent)) throw conflict(`no parent ${parent}`);
      const layer = { chainId, diffId, parent, sizeBytes };
      this.committed.set(chainId, layer);
      await end();
      return layer;
    };
    return { directory: "/nowhere", whiteouts: "overlay", commit, discard: end };
  }

  /** Settles when no draft is open: what an aborted caller left is cleared away behind its back. */
  async quiet(): Promise<void> {
    while (this.openDrafts > 0) await Bun.sleep(1);
  }

  async removeLayer(chainId: Digest): Promise<void> {
    const child = this.layers().some(({ parent }) => parent === chainId);
    if (child || this.inUse.has(chainId)) throw conflict(`layer ${chainId} is in use`);
    this.committed.delete(chainId);
  }
}

/** "Unpacks" by hashing what the layer holds, plain or gzip; content that begins with `hostile` is refused. */
export class FakeUnpacker implements LayerUnpacker {
  async unpack({ layer, source, diffId, signal }: UnpackRequest): Promise<UnpackedLayer> {
    if (source.kind !== "file") throw new Error("not built");
    for await (const _ of source.grown ?? []) signal.throwIfAborted();
    const blob = await readFile(source.path);
    const content = blob[0] === 0x1f && blob[1] === 0x8b ? gunzipSync(blob) : blob;
    signal.throwIfAborted();
    if (content.toString().startsWith("hostile"))
      throw invalidParameter(`layer ${layer}: entry leads out of it`);
    const actual = digestOf(content);
    if (actual !== diffId) throw invalidParameter(`layer ${layer} unpacks to ${actual}, not to ${diffId}`);
    return { diffId, sizeBytes: content.length, entries: 1, impliedDirectories: [], warnings: [] };
  }
}
