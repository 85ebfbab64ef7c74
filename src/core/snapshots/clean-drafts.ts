import { readdirSync } from "node:fs";
import { join } from "node:path";
import { MNT_DETACH, UMOUNT_NOFOLLOW, unmount } from "../../kernel/mounts.ts";
import { mountPoints } from "./mount-points.ts";
import type { SnapshotPaths } from "./snapshot-paths.ts";
import type { Trash } from "./trash.ts";

/** Undoes what an earlier process left half done: unfinished drafts, and removals with their mounts. */
export function cleanDrafts(paths: SnapshotPaths, trash: Trash): void {
  const dead = [`${paths.drafts}/`, `${paths.trash}/`];
  // Newest first: a mount may lie on another one.
  for (const path of mountPoints().toReversed()) {
    if (dead.some((directory) => path.startsWith(directory))) unmount(path, MNT_DETACH | UMOUNT_NOFOLLOW);
  }
  trash.empty();
  for (const name of readdirSync(paths.drafts)) trash.take(join(paths.drafts, name));
}
