import type { ByteString } from "../../formats/tar/byte-string.ts";
import type { TarInput } from "../../formats/tar/tar-writer.ts";
import type { MountedRoot, RootForm } from "./contract.ts";
import { LayeredDirectory } from "./layered-directory.ts";
import { type Links, treeEntry } from "./tree-entry.ts";

/** The one extended attribute that programs need to run as they did. */
const isCapability = (name: string): boolean => name === "security.capability";

/**
 * The files of a container's root as members of a tar, directories before what is in them, sorted. Nothing has to
 * be mounted. Sockets are left out: tar has none. A running container may change files meanwhile: one that
 * shrinks is filled with zeros, one that goes away before its turn is left out.
 */
export async function* exportTree(
  { upper, lower, form }: Pick<MountedRoot, "upper" | "lower" | "form">,
  signal: AbortSignal,
): AsyncGenerator<TarInput> {
  const parts = form === "copy" ? [upper] : [upper, ...lower];
  yield* exportDirectory({ parts, prefix: "", form, links: new Map(), signal });
}

interface DirectoryExport {
  readonly parts: readonly (string | Buffer)[];
  readonly prefix: ByteString;
  readonly form: RootForm;
  readonly links: Links;
  readonly signal: AbortSignal;
}

async function* exportDirectory(request: DirectoryExport): AsyncGenerator<TarInput> {
  const { parts, prefix, form, links, signal } = request;
  await using directory = await LayeredDirectory.open(parts, form);
  for (const name of await directory.names()) {
    signal.throwIfAborted();
    const entry = await directory.find(name);
    if (entry === undefined) continue;
    const path = prefix + name;
    yield* treeEntry(entry, path, links, isCapability);
    if (entry.status.isDirectory()) {
      const below = entry.parts.map((part) => part.path);
      yield* exportDirectory({ ...request, parts: below, prefix: `${path}/` });
    }
  }
}
