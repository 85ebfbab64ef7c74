import { existsSync, mkdirSync } from "node:fs";
import type { ContentStore } from "../core/content/contract.ts";
import type { ImageStore } from "../core/images/contract.ts";
import type { Leases } from "../core/leases/leases.ts";
import { LeasedContent } from "../engine/images/leased-content.ts";
import type { Log } from "../log/log.ts";
import { lockDirectory } from "./directory-lock.ts";
import { engineRegistryDirectory } from "./engine-registry-options.ts";
import type { RegistryOptions } from "./registry-options.ts";
import type { ServedRegistry } from "./serve-registry.ts";

export interface EngineRegistryParts {
  /** Of the engine. */
  readonly root: string;
  readonly content: ContentStore;
  readonly leases: Leases;
  readonly images: ImageStore;
  readonly options: RegistryOptions | undefined;
  readonly log: Log;
}

const notServed: ServedRegistry = { reload: () => undefined, close: () => undefined };

/**
 * The registry inside an engine. One that was served before keeps its content also while it is not served; an engine
 * that never had one loads nothing of it.
 */
export async function composeEngineRegistry(parts: EngineRegistryParts): Promise<ServedRegistry> {
  const { content, leases, images, options, log } = parts;
  const root = engineRegistryDirectory(parts.root);
  if (options === undefined && !existsSync(root)) return notServed;
  const { openEngineRegistry } = await import("../registry/server/registry.ts");
  mkdirSync(root, { recursive: true, mode: 0o700 });
  lockDirectory(root, "registry");
  const registry = await openEngineRegistry(root, content, new LeasedContent(leases, images));
  if (options === undefined) return notServed;
  const { serveRegistry } = await import("./serve-registry.ts");
  return await serveRegistry(registry, options, log);
}
