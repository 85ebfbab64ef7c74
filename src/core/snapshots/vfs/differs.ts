import type { BigIntStats } from "node:fs";

/**
 * Whether a file is no longer as it was copied, by its attributes alone, as Docker compares trees. A directory's times
 * say nothing: what changed in it is seen in what it has.
 */
export function differs(now: BigIntStats, before: BigIntStats): boolean {
  const sameInode = now.mode === before.mode && now.uid === before.uid && now.gid === before.gid;
  if (!sameInode || now.rdev !== before.rdev) return true;
  return !now.isDirectory() && (now.size !== before.size || now.mtimeNs !== before.mtimeNs);
}
