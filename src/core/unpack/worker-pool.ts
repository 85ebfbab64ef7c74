import { availableParallelism } from "node:os";
import { systemError } from "../../errors/platform-error.ts";
import type { Digest, DigestAlgorithm } from "../../formats/digest.ts";
import type { AnatomyRequest } from "../anatomy/describe-anatomy.ts";
import type { CapturedLayer, LayerCapture } from "../diff/capture-layer.ts";
import type { PackedLayer } from "../diff/contract.ts";
import type { LayerPacker } from "../diff/layer-packer.ts";
import type { ArchiveToPack } from "../diff/pack-archive.ts";
import type { LayerToPack } from "../diff/pack-layer.ts";
import type { ErofsImage } from "../snapshots/erofs/write-image.ts";
import type { LayerApplication } from "../snapshots/vfs/apply-layer.ts";
import type { TreeClone } from "../snapshots/vfs/clone-tree.ts";
import type { LayerUnpacker, UnpackedLayer, UnpackLimits, UnpackRequest } from "./contract.ts";
import type { Inheritance } from "./inherit-attributes.ts";
import { Job, type JobOptions } from "./job.ts";
import type { Task, TaskResult, TaskResults } from "./job-messages.ts";
import { PooledWorker, type PooledWorkerOptions } from "./pooled-worker.ts";

export interface WorkerPoolOptions extends PooledWorkerOptions {
  /** Default: one for each processor, at most 4. */
  readonly workers?: number;
  /** Where they are not the defaults. */
  readonly limits?: Partial<UnpackLimits>;
}

/** More would only take memory from each other; waiting for a download costs a place, too. */
const jobsPerWorker = 4;

export const defaultLimits: UnpackLimits = {
  entries: 2_000_000,
  unpackedBytes: 256 * 1024 ** 3,
  ratio: 200,
  uncheckedBytes: 1024 ** 3,
  devices: 4096,
  pathDepth: 256,
};

const never = new AbortController().signal;

/**
 * Workers that do what would block the event loop. They start with the first job and end when idle. `run` settles only
 * when the Worker has stopped touching the job's files, also after an abort.
 */
export class WorkerPool implements LayerUnpacker, LayerPacker {
  readonly #crew: PooledWorker[] = [];
  readonly #queue: Job[] = [];
  readonly #size: number;
  #lastJob = 0;
  #closed = false;

  constructor(private readonly options: WorkerPoolOptions = {}) {
    this.#size = options.workers ?? Math.min(availableParallelism(), 4);
  }

  unpack(request: UnpackRequest): Promise<UnpackedLayer> {
    const { layer, directory, whiteouts, diffId, source, signal, onProgress } = request;
    const limits = { ...defaultLimits, ...this.options.limits, ...request.limits };
    const task = { kind: "unpack", layer, directory, whiteouts, diffId, limits } as const;
    return this.run(task, { source, signal, onProgress });
  }

  /** See `spoolArchive`. */
  spool(
    archive: AsyncIterable<Uint8Array>,
    directory: string,
    options: Omit<JobOptions, "source">,
  ): Promise<TaskResults["spool"]> {
    return this.run(
      { kind: "spool", directory },
      { ...options, source: { kind: "chunks", chunks: archive } },
    );
  }

  /** See `measureTree`. */
  measure(directory: string, original?: readonly string[]): Promise<TaskResults["measure"]> {
    return this.run({ kind: "measure", directory, original }, { signal: never });
  }

  /** Removes directories with all that is in them. */
  async remove(directories: readonly string[]): Promise<void> {
    await this.run({ kind: "remove", directories }, { signal: never });
  }

  /** Brings the file system of a directory to its disk; that may take long, so it has a Worker of its own. */
  async sync(directory: string): Promise<void> {
    using own = new WorkerPool({ ...this.options, workers: 1 });
    await own.run({ kind: "sync", directory }, { signal: never });
  }

  /** The digest of a file's bytes. */
  hash(path: string, algorithm: DigestAlgorithm, signal: AbortSignal): Promise<Digest> {
    return this.run({ kind: "hash", path, algorithm }, { signal });
  }

  /** See `compareTrees`. */
  compareTrees(expected: string, actual: string, implied: readonly string[]): Promise<readonly string[]> {
    return this.run({ kind: "compare", expected, actual, implied }, { signal: never });
  }

  /** See `inheritAttributes`. */
  async inherit(inheritance: Inheritance): Promise<void> {
    await this.run({ kind: "inherit", ...inheritance }, { signal: never });
  }

  /** See `cloneTree`. */
  async clone(clone: TreeClone): Promise<void> {
    await this.run({ kind: "clone", ...clone }, { signal: never });
  }

  /** See `writeErofsImage`. */
  async writeErofs(image: ErofsImage): Promise<void> {
    await this.run({ kind: "erofs", ...image }, { signal: never });
  }

  /** See `applyLayer`. */
  async apply(application: LayerApplication): Promise<void> {
    await this.run({ kind: "apply", ...application }, { signal: never });
  }

  /** See `describeAnatomy`. */
  anatomy(request: AnatomyRequest, signal: AbortSignal): Promise<TaskResults["anatomy"]> {
    return this.run({ kind: "anatomy", ...request }, { signal });
  }

  capture(capture: Omit<LayerCapture, "limits">, signal: AbortSignal): Promise<CapturedLayer> {
    return this.run({ kind: "capture", ...capture, limits: defaultLimits }, { signal });
  }

  pack(layer: LayerToPack, signal: AbortSignal): Promise<PackedLayer> {
    return this.run({ kind: "pack", ...layer }, { signal });
  }

  packArchive(
    archive: Omit<ArchiveToPack, "limits">,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<PackedLayer> {
    const task = { kind: "pack-archive", ...archive, limits: defaultLimits } as const;
    return this.run(task, { signal, source: { kind: "chunks", chunks: source } });
  }

  /** Errors: those of the task and of the source; Cancelled after an abort; System if the Worker breaks down. */
  run<K extends Task["kind"]>(task: Task & { kind: K }, options: JobOptions): Promise<TaskResults[K]> {
    return new Promise<TaskResult>((resolve, reject) => {
      if (this.#closed) throw systemError("the worker pool is closed");
      this.#queue.push(new Job(++this.#lastJob, task, options, resolve, reject));
      this.#assign();
      // The Worker answers a task with the result of its kind.
    }) as Promise<TaskResults[K]>;
  }

  /** Ends all Workers; jobs that still run fail. */
  close(): void {
    this.#closed = true;
    for (const worker of this.#crew.splice(0)) worker.end(systemError("the worker pool is closed"));
    for (const job of this.#queue.splice(0)) job.fail(systemError("the worker pool is closed"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #assign(): void {
    for (let job = this.#queue[0]; job !== undefined; job = this.#queue[0]) {
      const worker = this.#freeWorker();
      if (worker === undefined) return;
      this.#queue.shift();
      if (!job.settled) worker.start(job);
    }
  }

  /** An idle Worker, else a new one, else the one with the fewest jobs. */
  #freeWorker(): PooledWorker | undefined {
    const [least] = this.#crew.toSorted((a, b) => a.load - b.load);
    if (least?.load === 0) return least;
    if (this.#crew.length < this.#size) {
      const worker = new PooledWorker(this.options, {
        onRoom: () => this.#assign(),
        onGone: () => {
          this.#crew.splice(this.#crew.indexOf(worker), 1);
          this.#assign();
        },
      });
      this.#crew.push(worker);
      return worker;
    }
    return least !== undefined && least.load < jobsPerWorker ? least : undefined;
  }
}
