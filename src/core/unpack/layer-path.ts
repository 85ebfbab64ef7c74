import type { ByteString } from "../../formats/tar/byte-string.ts";

/** A path below the layer's root: no leading slash, no `.` or `..`; all parts "" for the root itself. */
export interface LayerPath {
  readonly path: ByteString;
  /** "" for an entry directly below the root. */
  readonly parent: ByteString;
  readonly name: ByteString;
  readonly depth: number;
}

const root: LayerPath = { path: "", parent: "", name: "", depth: 0 };

/** Most names are clean already. */
const unclean = /^\/|\/\/|(?:^|\/)\.\.?(?:\/|$)|\/$/;

/**
 * Cleans the name of an entry by its text alone, as Docker does: an absolute name starts at the layer's root, `..`
 * takes one component back. Undefined if it would lead above the root.
 */
export function layerPath(raw: ByteString): LayerPath | undefined {
  if (!unclean.test(raw)) return split(raw);
  const parts: string[] = [];
  for (const part of raw.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return split(parts.join("/"));
}

/** Splits a clean path. */
export function split(path: ByteString): LayerPath {
  if (path === "") return root;
  const slash = path.lastIndexOf("/");
  let depth = 1;
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) depth++;
  return { path, parent: slash < 0 ? "" : path.slice(0, slash), name: path.slice(slash + 1), depth };
}
