import { rmSync } from "node:fs";
import { join } from "node:path";
import { FileContentStore } from "../../../src/core/content/file-content-store.ts";
import { FileImageStore } from "../../../src/core/images/file-image-store.ts";
import { Leases } from "../../../src/core/leases/leases.ts";
import { FileSnapshotter } from "../../../src/core/snapshots/file-snapshotter.ts";
import { OverlayDriver } from "../../../src/core/snapshots/overlay/overlay-driver.ts";
import type { Progress, PullRequest } from "../../../src/core/transfer/contract.ts";
import { ImageTransfer } from "../../../src/core/transfer/image-transfer.ts";
import { Limit } from "../../../src/core/transfer/limit.ts";
import { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { hostPlatform } from "../../../src/formats/platform.ts";
import { createLog } from "../../../src/log/log.ts";
import { RegistryClient, type RegistryClientOptions } from "../../../src/registry/client/registry-client.ts";
import { ReceiverThread } from "../../../src/registry/receive/receiver-thread.ts";
import { scratchDirectory } from "../../fixtures/places.ts";

/** Everything below a pull, on a directory of its own. */
export class Stores implements AsyncDisposable {
  private constructor(
    readonly root: string,
    private readonly isOwnRoot: boolean,
    readonly content: FileContentStore,
    readonly snapshots: FileSnapshotter,
    readonly images: FileImageStore,
    readonly transfer: ImageTransfer,
    private readonly pool: WorkerPool,
    private readonly receiver: ReceiverThread,
  ) {}

  /** `root` outlives the stores; default: an own one that ends with them. */
  static async open(root?: string, client: Partial<RegistryClientOptions> = {}): Promise<Stores> {
    const directory = root ?? scratchDirectory("stores");
    const log = createLog("error", (line) => process.stderr.write(line));
    const pool = new WorkerPool();
    const receiver = new ReceiverThread();
    const content = new FileContentStore(join(directory, "content"), receiver);
    const snapshots = new FileSnapshotter({
      root: join(directory, "snapshots"),
      driver: new OverlayDriver("overlay", pool),
      trees: pool,
      log,
    });
    const leases = new Leases();
    const images = await FileImageStore.open({
      directory: join(directory, "images"),
      content,
      snapshots,
      leases,
      log,
    });
    const transfer = new ImageTransfer({
      content,
      snapshots,
      images,
      leases,
      log,
      unpacker: pool,
      spooler: pool,
      spoolDirectory: content.spoolDirectory,
      registries: new RegistryClient({ userAgent: "gantry-test", ...client }),
      platform: hostPlatform(),
      downloads: new Limit(3),
      uploads: new Limit(5),
    });
    return new Stores(directory, root === undefined, content, snapshots, images, transfer, pool, receiver);
  }

  /** Pulls and returns the progress with the result. */
  async pull(reference: string, options: Partial<PullRequest> = {}) {
    const lines: Progress[] = [];
    const result = await this.transfer.pull({
      reference,
      onProgress: (line) => lines.push(line),
      signal: new AbortController().signal,
      ...options,
    });
    return { ...result, lines };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.snapshots.close();
    this.pool.close();
    this.receiver[Symbol.dispose]();
    if (this.isOwnRoot) rmSync(this.root, { recursive: true, force: true });
  }
}
