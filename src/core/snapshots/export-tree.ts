import type { ByteString } from "../../formats/tar/byte-string.ts";
import type { TarInput } from "../../formats/tar/tar-writer.ts";
import type { MountedRoot } from "./contract.ts";
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
  { upper, lower }: Pick<MountedRoot, "upper" | "lower">,
  signal: AbortSignal,
): AsyncGenerator<TarInput> {
  yield* exportDirectory([upper, ...lower], "", new Map(), signal);
}

async function* exportDirectory(
  parts: readonly (string | Buffer)[],
  prefix: ByteString,
  links: Links,
  signal: AbortSignal,
): AsyncGenerator<TarInput> {
  await using directory = await LayeredDirectory.open(parts);
  for (const name of await directory.names()) {
    signal.throwIfAborted();
    const entry = await directory.find(name);
    if (entry === undefined) continue;
    const path = prefix + name;
    yield* treeEntry(entry, path, links, isCapability);
    if (entry.status.isDirectory()) {
      const below = entry.parts.map((part) => part.path);
      yield* exportDirectory(below, `${path}/`, links, signal);
    }
  }
}
