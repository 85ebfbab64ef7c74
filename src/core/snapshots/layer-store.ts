import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { conflict, messageOf, notFound } from "../../errors/platform-error.ts";
import { type Digest, digestHex } from "../../formats/digest.ts";
import type { Log } from "../../log/log.ts";
import { writeFileDurably } from "../content/write-file-durably.ts";
import type { CommittedLayer, LayerFiles } from "./contract.ts";
import { makeInitLayer } from "./init-layer.ts";
import { formatLayerSidecar, type LayerSidecar, parseLayerSidecar } from "./layer-sidecar.ts";
import type { SnapshotPaths } from "./snapshot-paths.ts";
import type { StorageDriver } from "./storage-driver.ts";
import type { Trash } from "./trash.ts";
import type { TreeWork } from "./tree-work.ts";

const syncDelayMs = 1000;

/** The committed layers: `layers/` and the memory index of it. */
export class LayerStore {
  readonly #index = new Map<Digest, LayerSidecar>();
  #syncTimer: ReturnType<typeof setTimeout> | undefined;
  #syncing: Promise<void> = Promise.resolve();

  constructor(
    private readonly paths: SnapshotPaths,
    private readonly bootId: string,
    private readonly trash: Trash,
    private readonly trees: TreeWork,
    private readonly driver: StorageDriver,
    private readonly log: Log,
  ) {
    mkdirSync(paths.layers, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(paths.layers)) this.#load(name);
    this.#dropOrphans();
    this.#scheduleSync();
  }

  get(chainId: Digest): CommittedLayer | undefined {
    const sidecar = this.#index.get(chainId);
    return sidecar && layerOf(sidecar);
  }

  list(): CommittedLayer[] {
    return [...this.#index.values()].map(layerOf);
  }

  files(chainId: Digest): LayerFiles {
    const layer = this.#index.get(chainId);
    if (layer === undefined) throw notFound(`no such layer: ${chainId}`);
    const form = this.driver.rootForm;
    const directoryOf = (id: Digest) => this.driver.layerDirectory(this.paths.layer(id));
    const base = form === "copy" && layer.parent !== undefined ? directoryOf(layer.parent) : undefined;
    return { directory: directoryOf(chainId), form, base, hidesBelow: form !== "copy" && layer.opaqueRoot };
  }

  /** The directories of a chain, top first; down to a layer which hides the rest. */
  directories(top: Digest | undefined): string[] {
    const directories: string[] = [];
    let at = top;
    while (at !== undefined) {
      const layer = this.#index.get(at);
      if (layer === undefined) break;
      directories.push(this.driver.layerDirectory(this.paths.layer(at)));
      at = layer.opaqueRoot ? undefined : layer.parent;
    }
    return directories;
  }

  /** The layer between the image `top` and its containers, see makeInitLayer; undefined where the image is missing. */
  initDirectory(top: Digest | undefined): string | undefined {
    if (top !== undefined && !this.#index.has(top)) return undefined;
    const directory = this.paths.init(top);
    if (!existsSync(directory)) makeInitLayer(directory, this.directories(top), this.driver.rootForm);
    return directory;
  }

  /** The layer's directory has its name: from now on it is there. */
  add(sidecar: LayerSidecar): CommittedLayer {
    this.#index.set(sidecar.chainId, sidecar);
    this.#scheduleSync();
    return layerOf(sidecar);
  }

  remove(chainId: Digest): void {
    if (!this.#index.has(chainId)) return;
    for (const { parent, chainId: child } of this.#index.values()) {
      if (parent === chainId) throw conflict(`layer ${chainId} is in use by layer ${child}`);
    }
    this.trash.take(this.paths.layer(chainId));
    this.#index.delete(chainId);
  }

  /** Ends the background work. What is not synced yet is still good, as long as the machine does not go down. */
  async close(): Promise<void> {
    clearTimeout(this.#syncTimer);
    await this.#syncing;
  }

  /** Brings all layers to the disk now. */
  async flush(): Promise<void> {
    clearTimeout(this.#syncTimer);
    const work = this.#syncing.then(() => this.#sync());
    this.#syncing = work.catch(() => undefined); // told to who waits for this one
    await work;
  }

  #load(name: string): void {
    const directory = join(this.paths.layers, name);
    const sidecar = readSidecar(join(directory, "layer.json"));
    const isWhole = sidecar !== undefined && digestHex(sidecar.chainId) === name;
    const isSafe = sidecar?.unsyncedBoot === undefined || sidecar.unsyncedBoot === this.bootId;
    if (isWhole && isSafe) {
      this.#index.set(sidecar.chainId, sidecar);
      return;
    }
    const reason = isWhole
      ? "the machine went down before it was on disk"
      : "layer.json is missing or broken";
    this.log.warn("snapshots.layer-dropped", { layer: name, reason });
    this.trash.take(directory);
  }

  /** A layer without those below it is of no use. */
  #dropOrphans(): void {
    for (const { chainId, parent } of this.#index.values()) {
      if (parent === undefined || this.#index.has(parent)) continue;
      this.log.warn("snapshots.layer-dropped", { layer: chainId, reason: "its parent is missing" });
      this.trash.take(this.paths.layer(chainId));
      this.#index.delete(chainId);
      this.#dropOrphans();
      return;
    }
  }

  #scheduleSync(): void {
    clearTimeout(this.#syncTimer);
    if (![...this.#index.values()].some(isUnsynced)) return;
    this.#syncTimer = setTimeout(() => {
      this.flush().catch((error: unknown) =>
        this.log.warn("snapshots.sync-failed", { error: messageOf(error) }),
      );
    }, syncDelayMs);
    this.#syncTimer.unref();
  }

  /**
   * Waiting for the disk at each commit would double the time of a pull. So a layer is used at once, and marked as safe
   * when one syncfs for all of them has come back.
   */
  async #sync(): Promise<void> {
    const waiting = [...this.#index.values()].filter(isUnsynced);
    if (waiting.length === 0) return;
    await this.trees.sync(this.paths.layers);
    for (const sidecar of waiting) await this.#markSynced(sidecar);
  }

  async #markSynced(sidecar: LayerSidecar): Promise<void> {
    const isCurrent = () => this.#index.get(sidecar.chainId) === sidecar;
    if (!isCurrent()) return; // removed meanwhile
    const synced = { ...sidecar, unsyncedBoot: undefined };
    try {
      await writeFileDurably(
        join(this.paths.layer(sidecar.chainId), "layer.json"),
        formatLayerSidecar(synced),
      );
      if (isCurrent()) this.#index.set(sidecar.chainId, synced);
    } catch (error) {
      if (isCurrent())
        this.log.warn("snapshots.sync-failed", { layer: sidecar.chainId, error: messageOf(error) });
    }
  }
}

const isUnsynced = (sidecar: LayerSidecar): boolean => sidecar.unsyncedBoot !== undefined;

const layerOf = ({ chainId, diffId, parent, sizeBytes }: LayerSidecar): CommittedLayer => ({
  chainId,
  diffId,
  parent,
  sizeBytes,
});

function readSidecar(path: string): LayerSidecar | undefined {
  try {
    return parseLayerSidecar(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
