import {
  type BigIntStats,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { inheritAttributes } from "../unpack/inherit-attributes.ts";
import { opaqueXattr } from "../unpack/whiteout.ts";
import type { RootForm } from "./contract.ts";
import { isOpaque, isWhiteout } from "./layered-directory.ts";

/** What is below every container of Docker, so that mounting the engine's files makes nothing in its top. */
const wanted: readonly { readonly path: string; readonly make: "directory" | "file" | "mtab" }[] = [
  { path: ".dockerenv", make: "file" },
  { path: "dev/console", make: "file" },
  { path: "dev/pts", make: "directory" },
  { path: "dev/shm", make: "directory" },
  { path: "etc/hostname", make: "file" },
  { path: "etc/hosts", make: "file" },
  { path: "etc/mtab", make: "mtab" },
  { path: "etc/resolv.conf", make: "file" },
  { path: "proc", make: "directory" },
  { path: "sys", make: "directory" },
];

/**
 * Makes the layer that lies between an image and the tops of its containers: mount points which the image `lower` (top
 * first) lacks, `.dockerenv`, `/etc/mtab`. What the image has stays visible, except symlinks in the place of a file
 * that is mounted: they would lead the mount elsewhere. Whole or not at all.
 */
export function makeInitLayer(directory: string, lower: readonly string[], form: RootForm): void {
  const draft = `${directory}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o755 });
  const parents = new Set<string>();
  for (const { path, make } of wanted) {
    const present = look(lower, path.split("/"), form);
    const isReplaced = make === "file" && present.kind === "other" && present.isLast && present.isSymlink;
    if (present.kind !== "absent" && !isReplaced) continue;
    const place = join(draft, path);
    for (let at = dirname(path); at !== "."; at = dirname(at)) parents.add(at);
    mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
    if (make === "directory") mkdirSync(place, { recursive: true, mode: 0o755 });
    else if (make === "file") writeFileSync(place, "", { mode: 0o755 });
    else symlinkSync("/proc/mounts", place);
  }
  inheritAttributes({ directory: draft, paths: [...parents], lower, opaqueXattr: opaqueXattrOf(form) });
  renameSync(draft, directory);
}

type Look =
  | { readonly kind: "absent" | "directory" }
  /** Something else than a directory is there, or on the way. */
  | { readonly kind: "other"; readonly isLast: boolean; readonly isSymlink: boolean };

/** What a stack of layers shows at a path, without following links. */
function look(lower: readonly string[], [name = "", ...rest]: readonly string[], form: RootForm): Look {
  const below: string[] = [];
  for (const directory of lower) {
    const path = join(directory, name);
    const status: BigIntStats | undefined = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (status === undefined) continue;
    if (form !== "copy" && isWhiteout(status)) break;
    if (!status.isDirectory()) {
      if (below.length > 0) break;
      return { kind: "other", isLast: rest.length === 0, isSymlink: status.isSymbolicLink() };
    }
    below.push(path);
    if (isOpaque(Buffer.from(path), opaqueXattrOf(form))) break;
  }
  if (below.length === 0) return { kind: "absent" };
  return rest.length === 0 ? { kind: "directory" } : look(below, rest, form);
}

/** A whole tree has no opaque directories, whichever attribute is asked for. */
const opaqueXattrOf = (form: RootForm): string => opaqueXattr[form === "copy" ? "overlay" : form];
