import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { conflict, notFound } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Log } from "../../log/log.ts";
import { KeyedLock } from "../content/keyed-lock.ts";
import { cleanDrafts } from "./clean-drafts.ts";
import { ContainerRoots } from "./container-roots.ts";
import type {
  CommittedLayer,
  LayerDraft,
  LayerFiles,
  MountedRoot,
  Scratch,
  Snapshotter,
} from "./contract.ts";
import { type DraftServices, FileDraft } from "./file-draft.ts";
import { LayerStore } from "./layer-store.ts";
import { SnapshotPaths } from "./snapshot-paths.ts";
import type { StorageDriver } from "./storage-driver.ts";
import { Trash } from "./trash.ts";
import type { TreeWork } from "./tree-work.ts";

export interface FileSnapshotterOptions {
  /** Host directory, made if missing; on a file system that the driver can use. */
  readonly root: string;
  readonly driver: StorageDriver;
  readonly trees: TreeWork;
  readonly log: Log;
  /** Tells boots of the machine apart; default: the kernel's. */
  readonly bootId?: string;
}

/**
 * Snapshots in directories, in the way of a storage driver. One process owns the root directory. Opening it scans the
 * disk, unmounts and deletes what an earlier process left half done, and keeps what is mounted for containers.
 */
export class FileSnapshotter implements Snapshotter {
  readonly name: string;
  readonly status: Snapshotter["status"];
  readonly #trees: TreeWork;
  readonly #services: DraftServices;
  readonly #containers: ContainerRoots;
  readonly #turns = new KeyedLock();
  #lastDraft = 0;

  constructor({ root, driver, trees, log, bootId = currentBoot() }: FileSnapshotterOptions) {
    this.name = driver.name;
    this.status = driver.status;
    this.#trees = trees;
    mkdirSync(root, { recursive: true, mode: 0o711 });
    // The kernel's list of mounts has true paths: with others, what is mounted would not be recognised.
    const paths = new SnapshotPaths(realpathSync(root), driver.rootForm);
    mkdirSync(paths.drafts, { recursive: true, mode: 0o700 });
    const trash = new Trash(paths.trash, trees, driver, log);
    cleanDrafts(paths, trash);
    const layers = new LayerStore(paths, bootId, trash, trees, driver, log);
    this.#services = { paths, layers, trash, driver, bootId };
    this.#containers = new ContainerRoots(paths, layers, trash, driver, log);
  }

  layer(chainId: Digest): CommittedLayer | undefined {
    return this.#services.layers.get(chainId);
  }

  layers(): CommittedLayer[] {
    return this.#services.layers.list();
  }

  layerFiles(chainId: Digest): LayerFiles {
    return this.#services.layers.files(chainId);
  }

  async draft(
    chainId: Digest,
    parent: Digest | undefined,
    signal?: AbortSignal,
  ): Promise<LayerDraft | undefined> {
    if (this.layer(chainId)) return undefined;
    const turn = await this.#turns.acquire(chainId, signal);
    try {
      if (this.layer(chainId) === undefined) {
        const place = join(this.#services.paths.drafts, String(++this.#lastDraft));
        return new FileDraft(this.#services, place, { chainId, parent }, turn);
      }
    } catch (error) {
      turn[Symbol.dispose]();
      throw error;
    }
    turn[Symbol.dispose]();
    return undefined;
  }

  scratch(): Scratch {
    const { paths, trash, driver } = this.#services;
    const directory = join(paths.drafts, String(++this.#lastDraft));
    mkdirSync(directory, { mode: 0o755 });
    return {
      directory,
      whiteouts: driver.whiteouts,
      [Symbol.dispose]: () => {
        if (existsSync(directory)) trash.take(directory);
      },
    };
  }

  async removeLayer(chainId: Digest): Promise<void> {
    const key = this.#containers.userOf(chainId);
    if (key !== undefined) throw conflict(`layer ${chainId} is in use by container ${key}`);
    this.#services.layers.remove(chainId);
  }

  async prepare(
    key: string,
    parent: Digest | undefined,
    options: { volatile?: boolean } = {},
  ): Promise<void> {
    if (parent !== undefined && this.layer(parent) === undefined) throw notFound(`no such layer: ${parent}`);
    await this.#containers.create(key, { parent, isVolatile: options.volatile ?? false });
  }

  mount(key: string): MountedRoot {
    return this.#containers.mount(key);
  }

  describe(key: string): MountedRoot {
    return this.#containers.describe(key);
  }

  unmount(key: string): Promise<void> {
    return this.#containers.unmount(key);
  }

  remove(key: string): Promise<void> {
    return this.#containers.remove(key);
  }

  parent(key: string): Digest | undefined {
    return this.#containers.parent(key);
  }

  async usage(key: string): Promise<{ sizeBytes: number; inodes: number }> {
    const { form, upper, lower } = this.describe(key);
    return this.#trees.measure(upper, form === "copy" ? lower : undefined);
  }

  keys(): string[] {
    return this.#containers.keys();
  }

  mountedKeys(): string[] {
    return this.#containers.mountedKeys();
  }

  /** Brings all layers to the disk now instead of some seconds later. */
  flush(): Promise<void> {
    return this.#services.layers.flush();
  }

  /** An orderly end: settles when nothing happens in the background any more. */
  async close(): Promise<void> {
    await this.#services.layers.close();
    await this.#services.trash.settled();
  }
}

const currentBoot = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
