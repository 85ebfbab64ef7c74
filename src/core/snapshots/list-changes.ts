import { type ByteString, textOf } from "../../formats/tar/byte-string.ts";
import type { Change, MountedRoot, RootForm } from "./contract.ts";
import { LayeredDirectory } from "./layered-directory.ts";
import { compareCopy } from "./vfs/compare-copy.ts";

export type { Change };

/**
 * What a container changed in its root, sorted by path. A directory counts as modified when something in it did.
 * Reads the upper directory and what it hides, not the whole image, except where the root is a copy of it.
 */
export async function listChanges(
  { upper, lower, form }: MountedRoot,
  signal: AbortSignal,
): Promise<Change[]> {
  const changes: Change[] = [];
  if (form === "copy") await compareCopy({ copy: upper, original: lower, prefix: "", changes, signal });
  else await compare({ upper: [upper], lower, prefix: "", form, changes, signal });
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface Comparison {
  readonly upper: readonly (string | Buffer)[];
  readonly lower: readonly (string | Buffer)[];
  readonly prefix: ByteString;
  readonly form: RootForm;
  readonly changes: Change[];
  readonly signal: AbortSignal;
}

async function compare({ upper, lower, prefix, form, changes, signal }: Comparison): Promise<void> {
  signal.throwIfAborted();
  await using above = await LayeredDirectory.open(upper, form);
  await using below = await LayeredDirectory.open(lower, form);
  for (const name of await above.names()) {
    const [now, before] = [await above.find(name), await below.find(name)];
    const path = `${prefix}/${name}`;
    const kind = now === undefined ? "deleted" : before === undefined ? "added" : "modified";
    if (now ?? before) changes.push({ path: textOf(path), kind });
    if (now?.status.isDirectory()) {
      const lowerParts = before?.parts.map((part) => part.path) ?? [];
      const inner = { upper: [now.path], lower: lowerParts, prefix: path };
      await compare({ ...inner, form, changes, signal });
      if (now.isOpaque && before) await listHidden({ ...inner, form, changes, signal });
    }
  }
}

/** A directory that was deleted and made again: what it had before and has no more. */
async function listHidden({ upper, lower, prefix, form, changes }: Comparison): Promise<void> {
  await using above = await LayeredDirectory.open(upper, form);
  await using below = await LayeredDirectory.open(lower, form);
  const kept = new Set(await above.names());
  for (const name of await below.names()) {
    if (!kept.has(name) && (await below.find(name))) {
      changes.push({ path: textOf(`${prefix}/${name}`), kind: "deleted" });
    }
  }
}
