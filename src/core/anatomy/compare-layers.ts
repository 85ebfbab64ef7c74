import { type ByteString, textOf } from "../../formats/tar/byte-string.ts";
import type { Amount, ContentChange, ContentType } from "../../wire/image-anatomy.ts";
import type { LayerEntry } from "./layer-entry.ts";

/** All names that one layer touches. */
export interface LayerComparison {
  readonly changes: readonly ContentChange[];
  /** Grows when later layers are added. */
  readonly wasted: Amount;
}

/** What is at a path while layers are stacked. */
interface Visible {
  readonly owner: Comparison;
  readonly change: Mutable<ContentChange>;
  readonly file: SharedBytes;
  type: ContentType;
  attributes: string;
  children: Map<ByteString, Visible> | undefined;
}

/** The bytes of a file with all its names: wasted when the last one is hidden. */
interface SharedBytes {
  readonly sizeBytes: number;
  names: number;
}

interface Comparison {
  readonly changes: Mutable<ContentChange>[];
  readonly wasted: Mutable<Amount>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Stacks the layers of an image, base first, and tells what each one adds, changes and deletes, and what of it later
 * ones hide. Pure: entries in, comparisons out.
 */
export class LayerStack {
  readonly #comparisons: Comparison[] = [];
  readonly #root: Visible = visible({ changes: [], wasted: { count: 0, sizeBytes: 0 } }, "", "directory");

  /** What the layers added so far do, base first. */
  get comparisons(): readonly LayerComparison[] {
    return this.#comparisons;
  }

  /** `entries`: a directory before what is in it, each path once. */
  add(entries: Iterable<LayerEntry>): void {
    const comparison: Comparison = { changes: [], wasted: { count: 0, sizeBytes: 0 } };
    this.#comparisons.push(comparison);
    const files = new Map<string, SharedBytes>();
    for (const entry of entries) {
      const at = entry.path === "" ? undefined : this.#placeOf(entry.path);
      if (entry.path === "") this.#enterRoot(entry, comparison);
      else if (at) this.#enter(entry, at, comparison, files);
    }
  }

  /** What a container sees; directories do not count. */
  visible(): Amount {
    const total = { count: 0, sizeBytes: 0 };
    const files = new Set<SharedBytes>();
    const count = (node: Visible): void => {
      if (node.type !== "directory") {
        total.count++;
        if (!files.has(node.file)) total.sizeBytes += node.file.sizeBytes;
        files.add(node.file);
      }
      for (const child of node.children?.values() ?? []) count(child);
    };
    count(this.#root);
    return total;
  }

  #placeOf(path: ByteString): { siblings: Map<ByteString, Visible>; name: ByteString } | undefined {
    const parts = path.split("/");
    const name = parts.pop() ?? "";
    let directory: Visible | undefined = this.#root;
    for (const part of parts) directory = directory?.children?.get(part);
    return directory?.children && { siblings: directory.children, name };
  }

  #enterRoot({ isOpaque }: LayerEntry, comparison: Comparison): void {
    if (isOpaque) this.#empty(this.#root, "/", comparison);
  }

  #enter(
    entry: LayerEntry,
    { siblings, name }: { siblings: Map<ByteString, Visible>; name: ByteString },
    comparison: Comparison,
    files: Map<string, SharedBytes>,
  ): void {
    const before = siblings.get(name);
    const path = textOf(entry.path);
    if (entry.type === "whiteout") {
      if (before === undefined) return; // hides nothing
      siblings.delete(name);
      const sizeBytes = this.#shadow(before);
      comparison.changes.push({ kind: "deleted", type: before.type, path, sizeBytes });
      return;
    }
    if (entry.type === "directory" && before?.type === "directory") {
      if (entry.isOpaque) this.#empty(before, `${path}/`, comparison);
      if (entry.attributes !== before.attributes) {
        comparison.changes.push({ kind: "changed", type: "directory", path, sizeBytes: 0 });
        before.attributes = entry.attributes;
      }
      return;
    }
    if (before) this.#shadow(before);
    const known = entry.inode === undefined ? undefined : files.get(entry.inode);
    const file = known ?? { sizeBytes: entry.sizeBytes, names: 0 };
    file.names++;
    if (entry.inode !== undefined) files.set(entry.inode, file);
    const kind = before === undefined ? "added" : "changed";
    const sizeBytes = known === undefined ? entry.sizeBytes : 0;
    const now = visible(comparison, path, entry.type, { kind, sizeBytes, file });
    now.attributes = entry.attributes;
    siblings.set(name, now);
    comparison.changes.push(now.change);
  }

  /** An opaque directory: what the layers below have in it is gone, the directory stays. */
  #empty(directory: Visible, path: string, comparison: Comparison): void {
    const children = directory.children ?? new Map<ByteString, Visible>();
    if (children.size === 0) return;
    let sizeBytes = 0;
    for (const child of children.values()) sizeBytes += this.#shadow(child);
    children.clear();
    comparison.changes.push({ kind: "deleted", type: "directory", path, sizeBytes });
  }

  /** It is no longer seen, because of the layer that is being added. Out: bytes that are wasted from now on. */
  #shadow(node: Visible): number {
    node.change.shadowedBy = this.#comparisons.length;
    let sizeBytes = 0;
    if (node.type !== "directory") {
      node.file.names--;
      sizeBytes = node.file.names === 0 ? node.file.sizeBytes : 0;
      node.owner.wasted.count++;
      node.owner.wasted.sizeBytes += sizeBytes;
    }
    for (const child of node.children?.values() ?? []) sizeBytes += this.#shadow(child);
    return sizeBytes;
  }
}

function visible(
  owner: Comparison,
  path: string,
  type: ContentType,
  { kind, sizeBytes, file }: { kind: "added" | "changed"; sizeBytes: number; file: SharedBytes } = {
    kind: "added",
    sizeBytes: 0,
    file: { sizeBytes: 0, names: 1 },
  },
): Visible {
  const children = type === "directory" ? new Map<ByteString, Visible>() : undefined;
  return { owner, change: { kind, type, path, sizeBytes }, file, type, attributes: "", children };
}
