import { conflict } from "../../errors/platform-error.ts";
import { type ByteString, quoted } from "../../formats/tar/byte-string.ts";
import type { TarEntry } from "../../formats/tar/tar-entry.ts";
import type { TarInput } from "../../formats/tar/tar-writer.ts";
import type { RootForm } from "../snapshots/contract.ts";
import { giveTurn } from "../snapshots/give-turn.ts";
import { LayeredDirectory, type LayeredEntry } from "../snapshots/layered-directory.ts";
import { type Links, treeEntry } from "../snapshots/tree-entry.ts";
import { opaqueName, type WhiteoutForm, whiteoutPrefix } from "../unpack/whiteout.ts";
import { isKeptXattr } from "../unpack/xattr-writer.ts";

type Paths = readonly (string | Buffer)[];

export interface LayerTop {
  /** A directory in overlay's own form, or with whiteouts as names. */
  readonly upper: string;
  /** What lies below it, top first. Undefined: every whiteout of `upper` hides something. */
  readonly lower: Paths | undefined;
  readonly form: WhiteoutForm;
  /** Relative paths of what is no part of the layer. */
  readonly skipped: ReadonlySet<ByteString>;
}

/**
 * The members of the layer that `upper` is: sorted, each directory before what is in it, the first name of a file with
 * its content and the others as links to it. They depend on the files alone, not on who reads them, when, and where:
 * whiteouts say nothing but their name, and are there only where they hide something.
 * Spec: OCI image-spec, "Image Layer Filesystem Changeset".
 * Errors: Conflict for a name that means a whiteout.
 */
export async function* layerEntries(top: LayerTop, signal: AbortSignal): AsyncGenerator<TarInput> {
  const walk = new LayerWalk(top, signal);
  yield* walk.directory([top.upper], top.lower, "");
}

class LayerWalk {
  readonly #links: Links = new Map();
  readonly #form: RootForm;

  constructor(
    private readonly top: Pick<LayerTop, "skipped" | "form">,
    private readonly signal: AbortSignal,
  ) {
    this.#form = top.form === "names" ? "copy" : top.form;
  }

  async *directory(upper: Paths, lower: Paths | undefined, prefix: ByteString): AsyncGenerator<TarInput> {
    await using above = await LayeredDirectory.open(upper, this.#form);
    await using below = lower && (await LayeredDirectory.open(lower, this.#form));
    for (const name of await above.names()) {
      await giveTurn(this.signal);
      const path = prefix + name;
      if (this.top.skipped.has(path)) continue;
      if (name.startsWith(whiteoutPrefix)) {
        if (this.top.form !== "names") throw reservedName(path);
        yield { entry: whiteout(path) };
        continue;
      }
      const [entry, before] = [await above.find(name), await below?.find(name)];
      const isKnown = below !== undefined;
      if (entry !== undefined) {
        yield* this.#entry(entry, isKnown ? (before?.parts.map((part) => part.path) ?? []) : undefined, path);
      } else if ((before !== undefined || !isKnown) && (await above.isWhiteout(name))) {
        yield { entry: whiteout(`${prefix}${whiteoutPrefix}${name}`) };
      }
    }
  }

  /** `lower`: of a directory what it has below it, empty for a new one. */
  async *#entry(entry: LayeredEntry, lower: Paths | undefined, path: ByteString): AsyncGenerator<TarInput> {
    const isDirectory = entry.status.isDirectory();
    const isNew = lower?.length === 0;
    if (isDirectory && (await this.#isOnlyWay(entry, path))) return;
    yield* treeEntry(entry, path, this.#links, isKeptXattr);
    if (!isDirectory) return;
    // The kernel marks new directories too.
    const isOpaque = entry.isOpaque && !isNew;
    if (isOpaque) yield { entry: whiteout(`${path}/${opaqueName}`) };
    yield* this.directory([entry.path], isOpaque && lower ? [] : lower, `${path}/`);
  }

  /** A directory that is in `upper` only for the sake of what is skipped. */
  async #isOnlyWay(entry: LayeredEntry, path: ByteString): Promise<boolean> {
    if (![...this.top.skipped].some((skipped) => skipped.startsWith(`${path}/`))) return false;
    await using directory = await LayeredDirectory.open([entry.path], this.#form);
    const names = await directory.names();
    return names.length > 0 && names.every((name) => this.top.skipped.has(`${path}/${name}`));
  }
}

export const whiteout = (path: ByteString): TarEntry => ({
  type: "file",
  path,
  linkPath: "",
  mode: 0o600,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
});

export const reservedName = (path: ByteString) =>
  conflict(`the file ${quoted(`/${path}`)} cannot be in a layer: such a name means that a file is deleted`, {
    code: "layer.reserved-name",
    hint: "rename it in the container first",
  });
