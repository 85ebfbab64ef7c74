import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Bytes of the regular files below a directory; several names of one file count once. */
export function bytesBelow(directory: string, seen = new Set<number>()): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) bytes += bytesBelow(path, seen);
    if (!entry.isFile()) continue;
    const { ino, size } = lstatSync(path);
    if (!seen.has(ino)) bytes += size;
    seen.add(ino);
  }
  return bytes;
}

/** What is on disk of an engine, by the file system's own account. */
export function diskTruth(root: string) {
  const layers = join(root, "snapshots/layers");
  const blobs = join(root, "content/blobs/sha256");
  return {
    blobs: readdirSync(blobs).toSorted(),
    blobBytes: bytesBelow(blobs),
    layers: readdirSync(layers).toSorted(),
    layerBytes: readdirSync(layers).reduce((sum, name) => sum + bytesBelow(join(layers, name, "diff")), 0),
    tops: readdirSync(join(root, "snapshots/containers")).toSorted(),
    partials: readdirSync(join(root, "content/ingest")).toSorted(),
  };
}
