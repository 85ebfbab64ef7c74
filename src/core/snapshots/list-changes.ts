import { type ByteString, textOf } from "../../formats/tar/byte-string.ts";
import type { MountedRoot } from "./contract.ts";
import { LayeredDirectory } from "./layered-directory.ts";

export interface Change {
  /** Absolute, inside the container. */
  readonly path: string;
  readonly kind: "modified" | "added" | "deleted";
}

/**
 * What a container changed in its root, sorted by path. A directory counts as modified when something in it did.
 * Reads the upper directory and what it hides, not the whole image.
 */
export async function listChanges({ upper, lower }: MountedRoot, signal: AbortSignal): Promise<Change[]> {
  const changes: Change[] = [];
  await compare({ upper: [upper], lower, prefix: "", changes, signal });
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface Comparison {
  readonly upper: readonly (string | Buffer)[];
  readonly lower: readonly (string | Buffer)[];
  readonly prefix: ByteString;
  readonly changes: Change[];
  readonly signal: AbortSignal;
}

async function compare({ upper, lower, prefix, changes, signal }: Comparison): Promise<void> {
  signal.throwIfAborted();
  await using above = await LayeredDirectory.open(upper);
  await using below = await LayeredDirectory.open(lower);
  for (const name of await above.names()) {
    const [now, before] = [await above.find(name), await below.find(name)];
    const path = `${prefix}/${name}`;
    const kind = now === undefined ? "deleted" : before === undefined ? "added" : "modified";
    if (now ?? before) changes.push({ path: textOf(path), kind });
    if (now?.status.isDirectory()) {
      const lowerParts = before?.parts.map((part) => part.path) ?? [];
      await compare({ upper: [now.path], lower: lowerParts, prefix: path, changes, signal });
      if (now.isOpaque && before) await listHidden(now.path, lowerParts, path, changes);
    }
  }
}

/** A directory that was deleted and made again: what it had before and has no more. */
async function listHidden(
  upper: Buffer,
  lower: readonly Buffer[],
  prefix: ByteString,
  changes: Change[],
): Promise<void> {
  await using above = await LayeredDirectory.open([upper]);
  await using below = await LayeredDirectory.open(lower);
  const kept = new Set(await above.names());
  for (const name of await below.names()) {
    if (!kept.has(name) && (await below.find(name))) {
      changes.push({ path: textOf(`${prefix}/${name}`), kind: "deleted" });
    }
  }
}
