import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** One file of a rotated log. Its name is another after each rotation; its inode stays. */
export interface LogFile {
  readonly path: string;
  readonly inode: number;
}

/** A log that rotates faster than it can be listed so many times is listed as it was seen last. */
const attempts = 100;

/** The files of a rotated log that exist, oldest first: `x.2`, `x.1`, `x`. */
export function logFiles(path: string): LogFile[] {
  let files = listOnce(path);
  // A rotation in the middle of a listing would hide a file or show one twice: two equal listings are right.
  for (let attempt = 0; attempt < attempts; attempt++) {
    const again = listOnce(path);
    if (isSame(files, again)) return again;
    files = again;
  }
  return files;
}

function listOnce(path: string): LogFile[] {
  const name = basename(path);
  const numbers = readdirSync(dirname(path))
    .filter((entry) => entry.startsWith(`${name}.`) && /^\d+$/.test(entry.slice(name.length + 1)))
    .map((entry) => Number(entry.slice(name.length + 1)))
    .sort((a, b) => b - a);
  const paths = [...numbers.map((number) => join(dirname(path), `${name}.${number}`)), path];
  return paths.flatMap((file) => {
    const inode = inodeOf(file);
    return inode === undefined ? [] : [{ path: file, inode }];
  });
}

const isSame = (a: readonly LogFile[], b: readonly LogFile[]): boolean =>
  a.length === b.length && a.every((file, index) => file.inode === b[index]?.inode);

/** Undefined for a missing file. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
