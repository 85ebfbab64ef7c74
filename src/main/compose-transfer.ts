import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ContentStore } from "../core/content/contract.ts";
import type { ImageStore } from "../core/images/contract.ts";
import type { Leases } from "../core/leases/leases.ts";
import type { Snapshotter } from "../core/snapshots/contract.ts";
import type { Registries, Transfer } from "../core/transfer/contract.ts";
import type { WorkerPool } from "../core/unpack/worker-pool.ts";
import { version } from "../engine/system/version.ts";
import { hostPlatform } from "../formats/platform.ts";
import type { Log } from "../log/log.ts";
import type { RegistrySettings } from "../registry/client/registry-settings.ts";
import type { TransferLimits } from "./engine-options.ts";
import { mirrorCredentials } from "./mirror-credentials.ts";

export interface TransferParts {
  readonly root: string;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly workers: WorkerPool;
  readonly log: Log;
  readonly registries: () => Promise<Registries>;
  readonly transfers: TransferLimits;
}

/** The registry client, loaded at its first use. Of `current`, mirrors and insecure registries are asked for each time. */
export function composeRegistries(
  current: () => RegistrySettings,
  { downloadAttempts: attempts }: TransferLimits,
): () => Promise<Registries> {
  let registries: Promise<Registries> | undefined;
  return () => {
    registries ??= import("../registry/client/registry-client.ts").then(
      ({ RegistryClient }) =>
        new RegistryClient({
          userAgent: `gantry/${version}`,
          settings: current(),
          current,
          mirrorCredentials: mirrorCredentials(current().mirrorLogins),
          attempts,
        }),
    );
    return registries;
  };
}

/** Builds the transfer at its first use: an engine that never pulls does not load the registry client. */
export function composeTransfer(parts: TransferParts): () => Promise<Transfer> {
  let transfer: Promise<Transfer> | undefined;
  return () => {
    transfer ??= build(parts);
    return transfer;
  };
}

async function build({
  root,
  content,
  snapshots,
  images,
  leases,
  workers,
  log,
  registries,
  transfers,
}: TransferParts): Promise<Transfer> {
  const { ImageTransfer } = await import("../core/transfer/image-transfer.ts");
  const { Limit } = await import("../core/transfer/limit.ts");
  const spoolDirectory = join(root, "content", "spool");
  mkdirSync(spoolDirectory, { recursive: true, mode: 0o700 });
  return new ImageTransfer({
    registries: await registries(),
    leases,
    platform: hostPlatform(),
    log,
    content,
    snapshots,
    unpacker: workers,
    images,
    downloads: new Limit(transfers.concurrentDownloads),
    uploads: new Limit(transfers.concurrentUploads),
    spooler: workers,
    spoolDirectory,
  });
}
