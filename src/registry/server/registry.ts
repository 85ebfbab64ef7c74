import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContentStore, Digest } from "../../core/content/contract.ts";
import { FileContentStore } from "../../core/content/file-content-store.ts";
import { conflict } from "../../errors/platform-error.ts";
import { RepositoryStore } from "./repository-store.ts";
import { defaultUploadAgeMs, UploadStore } from "./upload-store.ts";

/** What the routes work on. */
export interface Registry {
  readonly content: ContentStore;
  readonly repositories: RepositoryStore;
  readonly uploads: UploadStore;
}

/** By which a registry knows its own directory. */
export const registryMarker = "registry.json";

/**
 * Opens a registry's directory, or makes one of an empty directory. The caller has locked it.
 * Errors: Conflict for a directory of something else: content that no repository links is removed, and in an
 * engine's directory that would be all of it.
 */
export async function openRegistry(root: string): Promise<Registry> {
  if (!existsSync(join(root, registryMarker))) {
    const others = existsSync(root) ? readdirSync(root).filter((name) => !name.endsWith(".lock")) : [];
    if (others.length > 0) {
      throw conflict(`${root} is not a registry's directory: it holds ${others[0]}`, {
        hint: "give the registry an empty directory of its own",
      });
    }
    mkdirSync(root, { recursive: true, mode: 0o700 });
    writeFileSync(join(root, registryMarker), '{"version":1}\n');
  }
  const content = new FileContentStore(join(root, "content"));
  // All of the content is its own: bytes go with their last link.
  const keeper = {
    keep: () => undefined,
    release: async (digest: Digest) => void (await content.remove(digest)),
  };
  const repositories = await RepositoryStore.open(root, content, keeper);
  // A crash came between an upload and its link.
  for (const digest of content.list()) if (repositories.linkCount(digest) === 0) await content.remove(digest);
  const uploads = new UploadStore(repositories);
  for (const name of repositories.everyName())
    await uploads.removeIdle(name, Date.now() - defaultUploadAgeMs, false);
  return { content, repositories, uploads };
}
