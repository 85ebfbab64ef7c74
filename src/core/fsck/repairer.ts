import { link, mkdir, rename } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { notFound, PlatformError } from "../../errors/platform-error.ts";
import { digestAlgorithm } from "../../formats/digest.ts";
import { parseReference } from "../../formats/reference.ts";
import type { ContentStore } from "../content/contract.ts";
import { fileError } from "../content/file-error.ts";
import { writeFileDurably } from "../content/write-file-durably.ts";
import type { ImageStore } from "../images/contract.ts";
import type { Leases } from "../leases/leases.ts";
import type { Registries, RegistryCredentials, RemoteRepository } from "../transfer/contract.ts";
import type { LayerServices } from "../transfer/fetch-layer.ts";
import { fetchLayers } from "../transfer/fetch-layers.ts";
import { LoadLine } from "../transfer/layer-line.ts";
import { Limit } from "../transfer/limit.ts";
import type { Repair } from "./plan-repairs.ts";

/** The stores in which repairs happen: those of the running engine, or ones opened for the purpose. */
export interface RepairStores extends LayerServices {
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly registries: () => Promise<Registries>;
}

export interface RepairerOptions {
  readonly root: string;
  /** Stores that are in use, so that a blob has to leave by its store; undefined when the engine is stopped. */
  readonly live: RepairStores | undefined;
  /** Stores to work in when the engine is stopped, opened anew: each sees what was done before. */
  readonly open: () => Promise<RepairStores & AsyncDisposable>;
  /** By domain. */
  readonly credentials: (domain: string) => RegistryCredentials | undefined;
  readonly signal: AbortSignal;
  /** Distinguishes what went aside in this run. */
  readonly startedAt: Date;
}

const parallelLayers = 2;

/** Carries out single repairs. Nothing is deleted: what goes aside is below `lost+found/TIME/`, under its old path. */
export class Repairer {
  readonly asideDirectory: string;

  constructor(private readonly options: RepairerOptions) {
    const time = options.startedAt.toISOString().replace(/[:.]/g, "-");
    this.asideDirectory = join(options.root, "lost+found", time);
  }

  async carryOut(repair: Repair): Promise<void> {
    if (repair.op === "aside") return await this.aside(repair);
    if (repair.op === "enter") return await this.enter(repair.path);
    const { live } = this.options;
    if (live !== undefined) return await this.inStores(live, repair);
    await using stores = await this.options.open();
    await this.inStores(stores, repair);
  }

  private async enter(path: string): Promise<void> {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileDurably(path, "");
    } catch (error) {
      throw fileError(error, `write ${path}`);
    }
  }

  private async inStores(
    stores: RepairStores,
    repair: Exclude<Repair, { op: "aside" | "enter" }>,
  ): Promise<void> {
    switch (repair.op) {
      case "fetch":
        return await this.fetch(stores, repair);
      case "unpack":
        return await this.unpack(stores, repair);
      case "register":
        await stores.images.add(repair.manifest, repair.names);
    }
  }

  private async aside({ path, digest }: Extract<Repair, { op: "aside" }>): Promise<void> {
    const place = join(this.asideDirectory, relative(this.options.root, path));
    const { live } = this.options;
    try {
      await mkdir(dirname(place), { recursive: true, mode: 0o700 });
      if (live === undefined) return await rename(path, place);
      await link(path, place);
    } catch (error) {
      throw fileError(error, `move ${path} aside`);
    }
    if (digest !== undefined) await live.content.remove(digest);
  }

  private async fetch(stores: RepairStores, repair: Extract<Repair, { op: "fetch" }>): Promise<void> {
    const registries = await stores.registries();
    let failure: unknown = notFound(`no registry is known for ${repair.descriptor.digest}`);
    for (const name of repair.references) {
      const reference = parseReference(name);
      const remote = registries.repository(reference, this.options.credentials(reference.domain));
      try {
        return await stores.leases.withLease(async (lease) => {
          lease.holdBlob(repair.descriptor.digest);
          // A blob that is gone behind the store's back would count as present.
          await stores.content.remove(repair.descriptor.digest);
          await this.download(stores.content, remote, repair);
        });
      } catch (error) {
        if (!(error instanceof PlatformError) || error.kind === "Cancelled") throw error;
        failure = error;
      }
    }
    throw failure;
  }

  private async download(
    content: ContentStore,
    remote: RemoteRepository,
    { descriptor, role }: Extract<Repair, { op: "fetch" }>,
  ): Promise<void> {
    const { signal } = this.options;
    if (role === "index" || role === "manifest") {
      const bytes = await remote.manifest(descriptor, signal);
      await content.put(bytes, digestAlgorithm(descriptor.digest));
      return;
    }
    const ingest = await content.ingest(descriptor, signal);
    if (ingest === undefined) return;
    try {
      await remote.download(descriptor, ingest, signal);
      await ingest.commit();
    } catch (error) {
      await ingest.close({ keep: false, reason: error });
      throw error;
    }
  }

  private async unpack(stores: RepairStores, { layers }: Extract<Repair, { op: "unpack" }>): Promise<void> {
    await stores.leases.withLease(async (lease) => {
      for (const { descriptor, chainId } of layers) {
        lease.holdBlob(descriptor.digest);
        lease.holdLayer(chainId);
      }
      await fetchLayers(stores, {
        layers,
        remote: undefined,
        downloads: new Limit(parallelLayers),
        lineOf: ({ descriptor, diffId }) => new LoadLine(diffId, descriptor.size, () => {}),
        signal: this.options.signal,
      });
    });
  }
}
