import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The files of a rotated log that exist, oldest first: `x.2`, `x.1`, `x`. */
export function logFiles(path: string): string[] {
  const name = basename(path);
  const rotated = readdirSync(dirname(path))
    .filter((entry) => entry.startsWith(`${name}.`) && /^\d+$/.test(entry.slice(name.length + 1)))
    .map((entry) => ({ entry, number: Number(entry.slice(name.length + 1)) }))
    .sort((a, b) => b.number - a.number)
    .map(({ entry }) => join(dirname(path), entry));
  return inodeOf(path) === undefined ? rotated : [...rotated, path];
}

/** Undefined for a missing file. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
