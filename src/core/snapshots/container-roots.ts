import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { conflict, invalidParameter, notFound, PlatformError } from "../../errors/platform-error.ts";
import { type Digest, digestHex, isDigest } from "../../formats/digest.ts";
import { MNT_DETACH, UMOUNT_NOFOLLOW, unmountAsync } from "../../kernel/mounts.ts";
import type { Log } from "../../log/log.ts";
import type { MountedRoot } from "./contract.ts";
import type { LayerStore } from "./layer-store.ts";
import { mountPoints } from "./mount-points.ts";
import type { SnapshotPaths } from "./snapshot-paths.ts";
import type { StorageDriver } from "./storage-driver.ts";
import type { Trash } from "./trash.ts";

interface ContainerRoot {
  readonly parent: Digest | undefined;
  readonly isVolatile: boolean;
}

/** The writable tops of containers: `containers/`, and the memory index of it. */
export class ContainerRoots {
  readonly #index = new Map<string, ContainerRoot>();
  /** Being made; their layers are in use already. */
  readonly #making = new Map<string, ContainerRoot>();
  readonly #mounted = new Set<string>();
  readonly #unmounting = new Map<string, Promise<void>>();

  constructor(
    private readonly paths: SnapshotPaths,
    private readonly layers: LayerStore,
    private readonly trash: Trash,
    private readonly driver: StorageDriver,
    log: Log,
  ) {
    mkdirSync(paths.containers, { recursive: true, mode: 0o711 });
    const mounted = new Set(mountPoints());
    for (const key of readdirSync(paths.containers)) {
      const root = readRoot(paths.container(key));
      this.#index.set(key, root);
      if (mounted.has(paths.mountedRoot(key, []).merged)) this.#mounted.add(key);
      if (root.parent !== undefined && layers.get(root.parent) === undefined) {
        log.warn("snapshots.parent-missing", { key, parent: root.parent });
      }
    }
  }

  keys(): string[] {
    return [...this.#index.keys()];
  }

  mountedKeys(): string[] {
    return [...this.#mounted];
  }

  parent(key: string): Digest | undefined {
    return this.#index.get(key)?.parent;
  }

  /** A container that stands on the layer itself; layers above it are LayerStore's concern. */
  userOf(chainId: Digest): string | undefined {
    for (const [key, { parent }] of [...this.#index, ...this.#making]) if (parent === chainId) return key;
    return undefined;
  }

  /** Made aside and renamed: it is there as a whole or not at all, without waiting for the disk. */
  async create(key: string, root: ContainerRoot): Promise<void> {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(key))
      throw invalidParameter(`invalid snapshot key ${JSON.stringify(key)}`);
    if (this.#index.has(key) || this.#making.has(key)) throw conflict(`snapshot ${key} exists already`);
    this.#making.set(key, root);
    try {
      await this.#make(key, root);
      this.#index.set(key, root);
    } finally {
      this.#making.delete(key);
    }
  }

  async #make(key: string, root: ContainerRoot): Promise<void> {
    const draft = join(this.paths.drafts, `container-${key}`);
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { mode: 0o711 });
    try {
      for (const name of ["upper", "work", "merged"]) mkdirSync(join(draft, name), { mode: 0o711 });
      if (root.parent !== undefined)
        symlinkSync(`../../layers/${digestHex(root.parent)}`, join(draft, "parent"));
      if (root.isVolatile) writeFileSync(join(draft, "volatile"), "");
      const init = this.layers.initDirectory(root.parent); // now, so that the start does not wait for it
      await this.driver.fillTop(join(draft, "upper"), this.layers.directories(root.parent), init);
      renameSync(draft, this.paths.container(key));
    } catch (error) {
      this.trash.take(draft);
      throw error;
    }
  }

  describe(key: string): MountedRoot {
    const { parent } = this.#get(key);
    const layers = this.layers.directories(parent);
    const init = this.layers.initDirectory(parent);
    if (init === undefined) return this.paths.mountedRoot(key, layers);
    return { ...this.paths.mountedRoot(key, [init, ...layers]), init };
  }

  mount(key: string): MountedRoot {
    const { parent, isVolatile } = this.#get(key);
    const root = this.describe(key);
    if (this.#unmounting.has(key)) throw conflict(`snapshot ${key} is being unmounted`);
    if (this.#mounted.has(key)) return root;
    if (parent !== undefined && this.layers.get(parent) === undefined) {
      throw notFound(`layer ${parent} of container ${key} is missing`, {
        hint: "pull or load its image again",
      });
    }
    this.driver.mountRoot(root, { isVolatile });
    this.#mounted.add(key);
    return root;
  }

  /** Calls at the same time share one unmount: each waits until the directory is free. */
  async unmount(key: string): Promise<void> {
    const underway = this.#unmounting.get(key);
    if (underway !== undefined) return underway;
    if (!this.#mounted.has(key)) return;
    const work = this.#unmountNow(key).finally(() => this.#unmounting.delete(key));
    this.#unmounting.set(key, work);
    await work;
  }

  async #unmountNow(key: string): Promise<void> {
    const { merged } = this.paths.mountedRoot(key, []);
    try {
      await unmountAsync(merged, MNT_DETACH | UMOUNT_NOFOLLOW);
    } catch (error) {
      if (!isNotMounted(error)) throw error; // else somebody else did it
    }
    this.#mounted.delete(key);
  }

  async remove(key: string): Promise<void> {
    if (!this.#index.has(key)) return;
    await this.unmount(key);
    if (!this.#index.has(key)) return; // removed by another call meanwhile
    const directory = this.paths.container(key);
    if (existsSync(directory)) this.trash.take(directory);
    this.#index.delete(key);
  }

  #get(key: string): ContainerRoot {
    const root = this.#index.get(key);
    if (root === undefined) throw notFound(`no such snapshot: ${key}`);
    return root;
  }
}

const isNotMounted = (error: unknown): boolean =>
  error instanceof PlatformError && (error.code === "errno.EINVAL" || error.code === "errno.ENOENT");

function readRoot(directory: string): ContainerRoot {
  const link = join(directory, "parent");
  const isLink = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  const parent = isLink ? `sha256:${basename(readlinkSync(link))}` : undefined;
  return {
    parent: parent !== undefined && isDigest(parent) ? parent : undefined,
    isVolatile: existsSync(join(directory, "volatile")),
  };
}
