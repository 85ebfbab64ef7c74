import type { ByteString } from "../../formats/tar/byte-string.ts";
import type { TarInput } from "../../formats/tar/tar-writer.ts";
import { giveTurn } from "../snapshots/give-turn.ts";
import { LayeredDirectory, type LayeredEntry } from "../snapshots/layered-directory.ts";
import { type Links, treeEntry } from "../snapshots/tree-entry.ts";
import { isChanged } from "../snapshots/vfs/compare-copy.ts";
import { whiteoutPrefix } from "../unpack/whiteout.ts";
import { isKeptXattr } from "../unpack/xattr-writer.ts";
import { reservedName, whiteout } from "./layer-entries.ts";

export interface CopiedTop {
  /** The whole root of a container. */
  readonly upper: string;
  /** What it was copied from, top first. */
  readonly lower: readonly string[];
  /** Relative paths of what is no part of the layer. */
  readonly skipped: ReadonlySet<ByteString>;
}

/**
 * The members of the layer that makes `lower` into `upper`, in the order of `layerEntries`, with its errors: what is new
 * or changed, directories on the way to it, and a whiteout for each name that is gone.
 */
export async function* copiedEntries(top: CopiedTop, signal: AbortSignal): AsyncGenerator<TarInput> {
  yield* new CopyWalk(top.skipped, signal).directory(top.upper, top.lower, "");
}

class CopyWalk {
  readonly #links: Links = new Map();

  constructor(
    private readonly skipped: ReadonlySet<ByteString>,
    private readonly signal: AbortSignal,
  ) {}

  async *directory(
    copy: string | Buffer,
    original: readonly (string | Buffer)[],
    prefix: ByteString,
  ): AsyncGenerator<TarInput> {
    await using above = await LayeredDirectory.open([copy], "copy");
    await using below = await LayeredDirectory.open(original, "copy");
    const names = new Set([...(await above.names()), ...(await below.names())]);
    for (const name of [...names].sort()) {
      await giveTurn(this.signal);
      const path = prefix + name;
      if (this.skipped.has(path)) continue;
      const [now, before] = [await above.find(name), await below.find(name)];
      if (now === undefined) {
        if (before) yield { entry: whiteout(`${prefix}${whiteoutPrefix}${name}`) };
        continue;
      }
      if (name.startsWith(whiteoutPrefix)) throw reservedName(path);
      yield* this.#entry(now, before, path);
    }
  }

  async *#entry(
    now: LayeredEntry,
    before: LayeredEntry | undefined,
    path: ByteString,
  ): AsyncGenerator<TarInput> {
    const isOwn = before === undefined || isChanged(now, before);
    if (!now.status.isDirectory()) {
      if (isOwn) yield* treeEntry(now, path, this.#links, isKeptXattr);
      return;
    }
    const inside = this.directory(now.path, before?.parts.map((part) => part.path) ?? [], `${path}/`);
    try {
      const first = await inside.next();
      if (isOwn || !first.done) yield* treeEntry(now, path, this.#links, isKeptXattr);
      if (first.done) return;
      yield first.value;
      yield* inside;
    } finally {
      await inside.return(undefined); // it holds directories open, also when nobody asks for the rest
    }
  }
}
