import { type ByteString, textOf } from "../../../formats/tar/byte-string.ts";
import { bytePath } from "../../../kernel/files.ts";
import { getXattr } from "../../../kernel/xattrs.ts";
import type { Change } from "../contract.ts";
import { LayeredDirectory, type LayeredEntry } from "../layered-directory.ts";
import { differs } from "./differs.ts";

export interface CopyComparison {
  readonly copy: string | Buffer;
  /** What it was made of, top first. */
  readonly original: readonly (string | Buffer)[];
  readonly prefix: ByteString;
  readonly changes: Change[];
  readonly signal: AbortSignal;
}

/** Adds what was changed in a copy of a tree; true if there was something. A directory counts when something in it does. */
export async function compareCopy(comparison: CopyComparison): Promise<boolean> {
  const { copy, original, prefix, changes, signal } = comparison;
  signal.throwIfAborted();
  await using above = await LayeredDirectory.open([copy], "copy");
  await using below = await LayeredDirectory.open(original, "copy");
  const before = changes.length;
  for (const name of new Set([...(await above.names()), ...(await below.names())])) {
    const [now, then] = [await above.find(name), await below.find(name)];
    await compareEntry(now, then, { ...comparison, prefix: `${prefix}/${name}` });
  }
  return changes.length > before;
}

async function compareEntry(
  now: LayeredEntry | undefined,
  then: LayeredEntry | undefined,
  at: CopyComparison,
): Promise<void> {
  const path = textOf(at.prefix);
  if (now === undefined) {
    if (then) at.changes.push({ path, kind: "deleted" });
    return;
  }
  const original = then?.parts.map((part) => part.path) ?? [];
  const isChangedInside =
    now.status.isDirectory() && (await compareCopy({ ...at, copy: now.path, original }));
  if (then === undefined) at.changes.push({ path, kind: "added" });
  else if (isChangedInside || isChanged(now, then)) {
    at.changes.push({ path, kind: "modified" });
  }
}

/** Whether a file is another one than in the original, or has changed; not what is in a directory. */
export function isChanged(now: LayeredEntry, then: LayeredEntry): boolean {
  return differs(now.status, then.status) || capability(now) !== capability(then);
}

/** The one attribute that a program can get without a trace in its other attributes. */
function capability({ status, path }: LayeredEntry): string {
  if (!status.isFile()) return "";
  const value = getXattr(bytePath(path), "security.capability");
  return value ? Buffer.from(value).toString("latin1") : "";
}
