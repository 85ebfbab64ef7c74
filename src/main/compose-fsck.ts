import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { ContentStore, Digest } from "../core/content/contract.ts";
import { FileContentStore } from "../core/content/file-content-store.ts";
import type { FsckOptions, FsckRequest } from "../core/fsck/fsck.ts";
import type { RepairStores } from "../core/fsck/repairer.ts";
import type { EngineMemory } from "../core/fsck/survey.ts";
import type { ImageStore } from "../core/images/contract.ts";
import { FileImageStore } from "../core/images/file-image-store.ts";
import { Leases } from "../core/leases/leases.ts";
import type { Snapshotter } from "../core/snapshots/contract.ts";
import { openSnapshotter } from "../core/snapshots/open-snapshotter.ts";
import type { Registries } from "../core/transfer/contract.ts";
import type { UnpackLimits } from "../core/unpack/contract.ts";
import { WorkerPool } from "../core/unpack/worker-pool.ts";
import { notFound } from "../errors/platform-error.ts";
import { createLog } from "../log/log.ts";
import type { FsckLine } from "../wire/fsck-report.ts";
import { composeRegistries } from "./compose-transfer.ts";
import { lockDirectory } from "./directory-lock.ts";
import { embeddedFiles } from "./embedded/embedded-files.ts";
import { type EngineOptions, parseEngineOptions } from "./engine-options.ts";
import { engineSurroundings } from "./engine-surroundings.ts";

export interface EngineFsckParts {
  readonly root: string;
  readonly addonPath: string;
  readonly limits: Partial<UnpackLimits>;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly workers: WorkerPool;
  readonly registries: () => Promise<Registries>;
}

/** The check of an engine that runs: in its own stores, with Workers that its pulls do not wait for. */
export function composeEngineFsck(parts: EngineFsckParts): (request: FsckRequest) => AsyncIterable<FsckLine> {
  const { root, addonPath, limits, content, snapshots, images, leases, workers, registries } = parts;
  const stores: RepairStores = { content, snapshots, images, leases, registries, unpacker: workers };
  const memory = () => engineMemory(images, snapshots, leases);
  return async function* (request) {
    const { fsck } = await import("../core/fsck/fsck.ts");
    using work = new WorkerPool({ addonPath, workers: 1, limits });
    yield* fsck({ ...commonOptions(root), work, engine: { stores, memory }, open: neverOpened }, request);
  };
}

/**
 * The check of a root that no engine uses; nobody can use it until this process ends.
 * Errors: NotFound for a root that is not there; Conflict while an engine or another check runs on it.
 */
export async function* fsckStoppedRoot(root: string, request: FsckRequest): AsyncGenerator<FsckLine> {
  const { fsck } = await import("../core/fsck/fsck.ts");
  const options = commonOptions(root);
  lockDirectory(options.root);
  const { registries: settings, transfers, layerLimits: limits } = optionsOfRoot(root);
  using work = new WorkerPool({ addonPath: embeddedFiles.addon, limits });
  const registries = composeRegistries(() => settings, transfers);
  const open = () => openStores(options.root, work, registries);
  yield* fsck({ ...options, work, engine: undefined, open }, request);
}

/** Those which an engine with this root would have by default. */
function optionsOfRoot(root: string): EngineOptions {
  const options = parseEngineOptions(["--root", root], engineSurroundings());
  if (options === undefined) throw new Error("help was not asked for");
  return options;
}

function commonOptions(root: string): Pick<FsckOptions, "root" | "bootId"> {
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return { root: truePath(root), bootId };
}

function truePath(root: string): string {
  try {
    return realpathSync(root);
  } catch (cause) {
    throw notFound(`no such directory: ${root}`, { hint: "name the engine's with --root", cause });
  }
}

const neverOpened = (): never => {
  throw new Error("the stores of a running engine are open already");
};

function engineMemory(images: ImageStore, snapshots: Snapshotter, leases: Leases): EngineMemory {
  const known = images.list();
  return {
    images: new Set(known.map(({ id }) => id)),
    names: new Set(known.flatMap(({ tags, repoDigests }) => [...tags, ...repoDigests])),
    layers: new Set(snapshots.layers().map(({ chainId }) => chainId)),
    isHeld: (digest: Digest) => leases.holdsBlob(digest) || leases.holdsLayer(digest),
  };
}

/** As an engine opens them; closing waits for what they do in the background. */
async function openStores(
  root: string,
  workers: WorkerPool,
  registries: () => Promise<Registries>,
): Promise<RepairStores & AsyncDisposable> {
  const log = createLog("error", (line) => process.stderr.write(line));
  const content = new FileContentStore(join(root, "content"));
  mkdirSync(join(root, "images"), { recursive: true, mode: 0o700 });
  const snapshots = await openSnapshotter({
    root: join(root, "snapshots"),
    driver: undefined,
    trees: workers,
    log,
  });
  const leases = new Leases();
  const directory = join(root, "images");
  const images = await FileImageStore.open({ directory, content, snapshots, leases, log });
  return {
    content,
    snapshots,
    images,
    leases,
    unpacker: workers,
    registries,
    [Symbol.asyncDispose]: async () => {
      await snapshots.flush();
      await snapshots.close();
    },
  };
}
