import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import { O_PATH, RESOLVE_IN_ROOT, tryOpenat2 } from "../../kernel/openat2.ts";
import type { IdentityFiles } from "../../runtime/users.ts";

/** Larger ones are no user lists: they are there to fill our memory. */
const maximumBytes = 4 * 1024 * 1024;

/**
 * Reads /etc/passwd and /etc/group of a container's root, whose links may point anywhere: the kernel resolves them
 * inside the root (openat2(2), RESOLVE_IN_ROOT). A missing file, or one that is no regular file, is empty.
 */
export function readIdentity(rootDirectory: string): IdentityFiles {
  return withRoot(rootDirectory, (root) => ({
    passwd: readInRoot(root, "etc/passwd"),
    group: readInRoot(root, "etc/group"),
  }));
}

/** The same of a root that is not mounted: `layers` are its directories, topmost first. A deleted file is empty. */
export function readIdentityOfLayers(layers: readonly string[]): IdentityFiles {
  const holder = (path: string): string | undefined =>
    layers.find((layer) => lstatSync(join(layer, path), { throwIfNoEntry: false }) !== undefined);
  const read = (path: string): string => {
    const layer = holder(path);
    return layer === undefined ? "" : withRoot(layer, (root) => readInRoot(root, path));
  };
  return { passwd: read("etc/passwd"), group: read("etc/group") };
}

function withRoot<T>(directory: string, use: (root: number) => T): T {
  const root = openSync(directory, O_PATH | constants.O_DIRECTORY);
  try {
    return use(root);
  } finally {
    closeSync(root);
  }
}

function readInRoot(root: number, path: string): string {
  // O_NONBLOCK: a FIFO of that name must not hang the engine.
  const fd = tryOpenat2(root, path, {
    flags: constants.O_RDONLY | constants.O_NONBLOCK,
    resolve: RESOLVE_IN_ROOT,
  });
  if (fd < 0) return "";
  try {
    const { size, isFile } = statOf(fd);
    if (!isFile) return "";
    if (size > maximumBytes)
      throw invalidParameter(`/${path} of the image has ${size} bytes: too large to be read`);
    const bytes = Buffer.alloc(size);
    return bytes.toString("utf8", 0, readSync(fd, bytes, 0, size, 0));
  } finally {
    closeSync(fd);
  }
}

function statOf(fd: number): { size: number; isFile: boolean } {
  const stat = fstatSync(fd);
  return { size: stat.size, isFile: stat.isFile() };
}
