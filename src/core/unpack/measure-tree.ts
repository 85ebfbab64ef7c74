import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { differs } from "../snapshots/vfs/differs.ts";

/**
 * Bytes and number of the files below a directory, without itself; files with several names count once. With
 * `original` (trees on top of each other, top first), only what is not the same at the same place there.
 */
export function measureTree(
  directory: string,
  original?: readonly string[],
): { readonly sizeBytes: number; readonly inodes: number } {
  const linked = new Set<string>();
  let sizeBytes = 0;
  let inodes = 0;
  const pending = [""];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of readdirSync(join(directory, path), { withFileTypes: true })) {
      const child = join(path, entry.name);
      const status = lstatSync(join(directory, child), { throwIfNoEntry: false, bigint: true });
      if (status === undefined) continue; // the container goes on working meanwhile
      if (status.isDirectory()) pending.push(child);
      const before = original && firstOf(original, child);
      if (before !== undefined && !differs(status, before)) continue;
      if (status.nlink > 1n && !status.isDirectory()) {
        const inode = `${status.dev}:${status.ino}`;
        if (linked.has(inode)) continue;
        linked.add(inode);
      }
      inodes++;
      if (status.isFile()) sizeBytes += Number(status.size);
    }
  }
  return { sizeBytes, inodes };
}

function firstOf(trees: readonly string[], path: string): BigIntStats | undefined {
  for (const tree of trees) {
    const status = lstatSync(join(tree, path), { throwIfNoEntry: false, bigint: true });
    if (status !== undefined) return status;
  }
  return undefined;
}
