import { lstatSync, readdirSync, type Stats } from "node:fs";
import { type ByteString, bytesOf } from "../../formats/tar/byte-string.ts";
import { fileError } from "../content/file-error.ts";
import type { LayerFiles } from "../snapshots/contract.ts";
import { isOpaque } from "../snapshots/layered-directory.ts";
import { opaqueXattr } from "../unpack/whiteout.ts";
import type { LayerEntry } from "./layer-entry.ts";

/**
 * The names in an unpacked layer, a directory before what is in it.
 * Synchronous: for Workers. Errors: System, naming the directory.
 */
export function* readLayerEntries(layer: LayerFiles): Generator<LayerEntry> {
  const { directory, form, hidesBelow } = layer;
  const root = { path: "", type: "directory", sizeBytes: 0, attributes: "", inode: undefined } as const;
  yield { ...root, isOpaque: hidesBelow };
  const pending: ByteString[] = [""];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    yield* listGone(layer, parent);
    for (const name of list(directory, parent)) {
      const path = parent === "" ? name.toString("latin1") : `${parent}/${name.toString("latin1")}`;
      const place = hostPath(directory, path);
      const status = lstatSync(place);
      if (status.isDirectory()) pending.push(path);
      else if (isShared(layer, path, status)) continue;
      const opaque = form !== "copy" && status.isDirectory() && isOpaque(place, opaqueXattr[form]);
      yield entryOf(path, status, opaque);
    }
  }
}

/** In a whole tree nothing says "gone" but that the name is in the tree below. */
function* listGone({ directory, base }: LayerFiles, parent: ByteString): Generator<LayerEntry> {
  const before = base === undefined ? undefined : hostPath(base, parent);
  if (base === undefined || !before || !lstatSync(before, { throwIfNoEntry: false })?.isDirectory()) return;
  const kept = new Set(list(directory, parent).map((name) => name.toString("latin1")));
  for (const name of list(base, parent)) {
    const gone = name.toString("latin1");
    if (kept.has(gone)) continue;
    const path = parent === "" ? gone : `${parent}/${gone}`;
    yield { path, type: "whiteout", sizeBytes: 0, attributes: "", isOpaque: false, inode: undefined };
  }
}

/** Whether a file of a whole tree is that of the tree below. */
function isShared({ base }: LayerFiles, path: ByteString, { dev, ino }: Stats): boolean {
  if (base === undefined) return false;
  const before = lstatSync(hostPath(base, path), { throwIfNoEntry: false });
  return before !== undefined && before.ino === ino && before.dev === dev;
}

/** Sorted: which name of a file comes first must not depend on the file system. */
function list(directory: string, path: ByteString): Buffer[] {
  try {
    return readdirSync(hostPath(directory, path), { encoding: "buffer" }).sort(Buffer.compare);
  } catch (error) {
    throw fileError(error, `read layer ${directory}`);
  }
}

const hostPath = (directory: string, path: ByteString): Buffer =>
  Buffer.concat([Buffer.from(`${directory}/`), bytesOf(path)]);

function entryOf(path: ByteString, status: Stats, opaque: boolean): LayerEntry {
  return {
    path,
    type: typeOf(status),
    sizeBytes: status.isFile() ? status.size : 0,
    attributes: `${status.mode}:${status.uid}:${status.gid}`,
    isOpaque: opaque,
    inode: !status.isDirectory() && status.nlink > 1 ? String(status.ino) : undefined,
  };
}

function typeOf(status: Stats): LayerEntry["type"] {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "symlink";
  // Overlayfs keeps "this is gone" as a device 0/0.
  return status.isCharacterDevice() && status.rdev === 0 ? "whiteout" : "other";
}
