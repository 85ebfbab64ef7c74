import type { ByteString } from "../../../formats/tar/byte-string.ts";
import {
  check,
  ENOENT,
  O_DIRECTORY,
  O_NOFOLLOW,
  tryClose,
  tryMkdirAt,
  tryOpen,
  tryOpenAt,
  tryReadDirectory,
  tryRenameAt,
  tryStatAt,
} from "../../../kernel/file-calls.ts";
import { bytePath, S_IFDIR, S_IFMT } from "../../../kernel/files.ts";
import { tryRemoveTree } from "../../../kernel/remove-tree.ts";
import { removeXattr } from "../../../kernel/xattrs.ts";
import { opaqueName, whiteoutPrefix } from "../../unpack/whiteout.ts";
import { cloneTree } from "./clone-tree.ts";
import { copyAttributes, copyTimes, keptXattrs, must, placeIn, self, statIn } from "./tree-place.ts";

export interface LayerApplication {
  /** The whole tree of the layers below, whose files the new one shares; undefined: it is in `tree`, or there is none. */
  readonly base: string | undefined;
  /** The unpacked layer, with whiteouts as names; only empty directories and whiteouts are left of it. */
  readonly layer: string;
  /** Directories of the layer that keep the attributes which they have below; "" is the root. */
  readonly impliedDirectories: readonly ByteString[];
  /** Gets the whole tree. */
  readonly tree: string;
}

/** Makes the whole tree of a layer: the one below, changed as the layer says. Synchronous: meant for a Worker. */
export function applyLayer({ base, layer, impliedDirectories, tree }: LayerApplication): void {
  if (base !== undefined) cloneTree({ from: base, to: tree, files: "link" });
  const source = check(tryOpen(layer, O_DIRECTORY), `open ${layer}`);
  const target = check(tryOpen(tree, O_DIRECTORY), `open ${tree}`);
  try {
    new LayerMerge(new Set(impliedDirectories)).directory(source, target, { path: "", isNew: false });
  } finally {
    tryClose(source);
    tryClose(target);
  }
}

interface MergedDirectory {
  readonly path: ByteString;
  /** The tree below has no such directory. */
  readonly isNew: boolean;
}

class LayerMerge {
  constructor(private readonly implied: ReadonlySet<ByteString>) {}

  directory(source: number, target: number, { path, isNew }: MergedDirectory): void {
    // Before moving things changes the times of both.
    const [before, wanted] = [statIn(target, self), statIn(source, self)];
    const names = namesIn(source);
    // First: they are about the tree below, whatever the layer itself has under the same name.
    for (const name of names) this.#hide(target, textOf(name));
    for (const name of names) {
      if (!textOf(name).startsWith(whiteoutPrefix)) this.#entry(source, target, name, path);
    }
    const place = placeIn(target, self);
    if (this.implied.has(path) && !isNew) {
      copyTimes(before, place);
      return;
    }
    for (const name of keptXattrs(place)) removeXattr(place, name);
    copyAttributes(wanted, placeIn(source, self), place);
  }

  #hide(target: number, name: ByteString): void {
    if (name === opaqueName) {
      for (const hidden of namesIn(target)) remove(target, hidden);
    } else if (name.startsWith(whiteoutPrefix)) {
      remove(target, Buffer.from(name.slice(whiteoutPrefix.length), "latin1"));
    }
  }

  #entry(source: number, target: number, name: Uint8Array, parent: ByteString): void {
    if ((statIn(source, name).mode & S_IFMT) === S_IFDIR) {
      const path = parent === "" ? textOf(name) : `${parent}/${textOf(name)}`;
      this.#subdirectory(source, target, name, path);
      return;
    }
    remove(target, name);
    must(tryRenameAt(source, bytePath(name), target, bytePath(name)), "move", name);
  }

  #subdirectory(source: number, target: number, name: Uint8Array, path: ByteString): void {
    const there = tryStatAt(target, bytePath(name));
    if (typeof there === "number" && there !== -ENOENT) must(there, "read", name);
    const isNew = typeof there === "number" || (there.mode & S_IFMT) !== S_IFDIR;
    if (isNew) {
      remove(target, name);
      must(tryMkdirAt(target, bytePath(name), 0o700), "make directory", name);
    }
    const flags = O_DIRECTORY | O_NOFOLLOW;
    const from = must(tryOpenAt(source, bytePath(name), flags), "open", name);
    try {
      const to = must(tryOpenAt(target, bytePath(name), flags), "open", name);
      try {
        this.directory(from, to, { path, isNew });
      } finally {
        tryClose(to);
      }
    } finally {
      tryClose(from);
    }
  }
}

const textOf = (name: Uint8Array): ByteString => Buffer.from(name).toString("latin1");

function namesIn(directoryFd: number): Uint8Array[] {
  const names = tryReadDirectory(directoryFd);
  if (typeof names === "number") throw check(names, "read directory");
  return names;
}

const remove = (directoryFd: number, name: Uint8Array): number =>
  must(tryRemoveTree(directoryFd, bytePath(name)), "remove", name);
