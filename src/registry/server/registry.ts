import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContentStore, Digest } from "../../core/content/contract.ts";
import { FileContentStore } from "../../core/content/file-content-store.ts";
import { conflict } from "../../errors/platform-error.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import type { PullThroughCache } from "./cache/pull-through-cache.ts";
import type { ContentKeeper } from "./content-keeper.ts";
import { RepositoryStore } from "./repository-store.ts";
import { defaultUploadAgeMs, UploadStore } from "./upload-store.ts";

/** What the routes work on. */
export interface Registry {
  readonly content: ContentStore;
  readonly repositories: RepositoryStore;
  readonly uploads: UploadStore;
  /** Where what is missing comes from, if anywhere. */
  readonly cache?: PullThroughCache;
}

/** By which a registry knows its own directory. */
export const registryMarker = "registry.json";

/** Whose the content is: a directory tells for good, since a registry removes content that it does not link. */
type Owner = "registry" | "engine";

/**
 * Opens a registry's directory with content of its own, or makes one of an empty directory. The caller has locked it.
 * Errors: Conflict for a directory of something else.
 */
export async function openRegistry(root: string): Promise<Registry> {
  claimDirectory(root, "registry");
  const content = new FileContentStore(join(root, "content"));
  // All of the content is its own: bytes go with their last link.
  const keeper = {
    keep: () => undefined,
    release: async (digest: Digest) => void (await content.remove(digest)),
  };
  const registry = await open(root, content, keeper);
  // A crash came between an upload and its link.
  for (const digest of content.list())
    if (registry.repositories.linkCount(digest) === 0) await content.remove(digest);
  return registry;
}

/** As `openRegistry`, in an engine's content, whose `keeper` decides what is removed. On the content's file system. */
export async function openEngineRegistry(
  root: string,
  content: ContentStore,
  keeper: ContentKeeper,
): Promise<Registry> {
  claimDirectory(root, "engine");
  return await open(root, content, keeper);
}

async function open(root: string, content: ContentStore, keeper: ContentKeeper): Promise<Registry> {
  const repositories = await RepositoryStore.open(root, content, keeper);
  const uploads = new UploadStore(repositories);
  for (const name of repositories.everyName())
    await uploads.removeIdle(name, Date.now() - defaultUploadAgeMs, false);
  return { content, repositories, uploads };
}

function claimDirectory(root: string, owner: Owner): void {
  const path = join(root, registryMarker);
  if (existsSync(path)) {
    const marker = JsonFields.parse(path, readFileSync(path));
    if ((marker.string("content") ?? "registry") === owner) return;
    throw conflict(`the content of ${root} belongs to ${owner === "engine" ? "a registry" : "an engine"}`, {
      hint: owner === "engine" ? "move it away" : "start the engine, which serves it with --registry",
    });
  }
  const draft = `${registryMarker}.new`; // left by a start that was cut off
  const isOurs = (name: string) => name === draft || name.endsWith(".lock");
  const others = existsSync(root) ? readdirSync(root).filter((name) => !isOurs(name)) : [];
  if (others.length > 0) {
    throw conflict(`${root} is not a registry's directory: it holds ${others[0]}`, {
      hint: "give the registry an empty directory of its own",
    });
  }
  mkdirSync(root, { recursive: true, mode: 0o700 });
  writeFileSync(join(root, draft), `${JSON.stringify({ version: 1, content: owner })}\n`, { flush: true });
  renameSync(join(root, draft), path);
}
