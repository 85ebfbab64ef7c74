import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats } from "node:fs";
import { quoted } from "../../formats/tar/byte-string.ts";
import { bytePath } from "../../kernel/files.ts";
import { getXattr, listXattrs } from "../../kernel/xattrs.ts";

/** So many are enough to see what happened. */
const maxDifferences = 5;
const readBytes = 256 << 10;

/**
 * Compares two unpacked layers: names, types, modes, owners, times, links, devices, extended attributes, bytes. Runs in a
 * Worker, since it makes its system calls synchronously. Out: differences for people, relative to `actual`.
 *
 * `implied`: directories (byte strings, relative) that the layer uses without describing them: their attributes are those
 * of the layers below.
 */
export function compareTrees(expected: string, actual: string, implied: readonly string[]): string[] {
  const found: string[] = [];
  const skipped = new Set(implied);
  const pending: string[] = [""];
  for (let path = pending.pop(); path !== undefined && found.length < maxDifferences; path = pending.pop()) {
    const [a, b] = [placeOf(expected, path), placeOf(actual, path)];
    const [wanted, given] = [lstatSync(a), lstatSync(b)];
    const difference = differenceOf(a, wanted, b, given, skipped.has(path));
    if (difference !== undefined) found.push(`${quoted(path || "/")} ${difference}`);
    if (!wanted.isDirectory() || !given.isDirectory()) continue;
    const [names, others] = [namesOf(a), namesOf(b)];
    const inside = (name: string) => (path === "" ? name : `${path}/${name}`);
    for (const name of names) {
      if (others.has(name)) pending.push(inside(name));
      else found.push(`${quoted(inside(name))} is missing`);
    }
    for (const name of others)
      if (!names.has(name)) found.push(`${quoted(inside(name))} is not of the layer`);
  }
  return found.slice(0, maxDifferences);
}

const placeOf = (root: string, path: string): Buffer =>
  Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);

const namesOf = (directory: Buffer): Set<string> =>
  new Set(readdirSync(directory, { encoding: "buffer" }).map((name) => name.toString("latin1")));

const typeMask = 0o170000;

function differenceOf(
  a: Buffer,
  wanted: Stats,
  b: Buffer,
  given: Stats,
  isImplied: boolean,
): string | undefined {
  if ((wanted.mode & typeMask) !== (given.mode & typeMask)) return "is of another type";
  if (wanted.rdev !== given.rdev) return "is another device";
  if (!isImplied && !isWhiteout(wanted)) {
    const attribute = attributeDifference(wanted, given) ?? xattrDifference(a, b);
    if (attribute !== undefined) return attribute;
  }
  if (wanted.isSymbolicLink()) {
    const [target, other] = [a, b].map((path) => readlinkSync(path, { encoding: "buffer" }));
    return target && other && target.equals(other) ? undefined : "points elsewhere";
  }
  if (!wanted.isFile()) return undefined;
  if (wanted.size !== given.size) return `has ${given.size} bytes instead of ${wanted.size}`;
  return hasEqualBytes(a, b) ? undefined : "has other bytes";
}

/** In overlay's form. It says nothing but its name: its time is that of its unpacking. */
const isWhiteout = (stats: Stats): boolean => stats.isCharacterDevice() && stats.rdev === 0;

function attributeDifference(wanted: Stats, given: Stats): string | undefined {
  const octal = (mode: number) => (mode & 0o7777).toString(8);
  if (wanted.mode !== given.mode) return `has mode ${octal(given.mode)} instead of ${octal(wanted.mode)}`;
  if (wanted.uid !== given.uid || wanted.gid !== given.gid)
    return `belongs to ${given.uid}:${given.gid} instead of ${wanted.uid}:${wanted.gid}`;
  return wanted.mtimeMs === given.mtimeMs ? undefined : "was changed at another time";
}

function xattrDifference(a: Buffer, b: Buffer): string | undefined {
  const [wanted, given] = [xattrsOf(a), xattrsOf(b)];
  return wanted === given ? undefined : "has other extended attributes";
}

/** Labels of security modules are the host's business. */
function xattrsOf(path: Buffer): string {
  const file = bytePath(path);
  const names = listXattrs(file).filter((name) => name !== "security.selinux");
  return names
    .sort()
    .map((name) => `${name}=${Buffer.from(getXattr(file, name) ?? []).toString("hex")}`)
    .join("\n");
}

function hasEqualBytes(a: Buffer, b: Buffer): boolean {
  const [first, second] = [openSync(a, "r"), openSync(b, "r")];
  const [one, other] = [Buffer.allocUnsafe(readBytes), Buffer.allocUnsafe(readBytes)];
  try {
    for (;;) {
      const length = readSync(first, one);
      if (length !== readSync(second, other)) return false;
      if (length === 0) return true;
      if (!one.subarray(0, length).equals(other.subarray(0, length))) return false;
    }
  } finally {
    closeSync(first);
    closeSync(second);
  }
}
