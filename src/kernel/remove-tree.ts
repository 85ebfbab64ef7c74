import { randomBytes } from "node:crypto";
import { basename, dirname } from "node:path";
import {
  check,
  EISDIR,
  ENOENT,
  ENOTDIR,
  EPERM,
  O_DIRECTORY,
  O_NOFOLLOW,
  tryClose,
  tryOpen,
  tryOpenAt,
  tryReadDirectory,
  tryRenameAt,
  tryUnlinkAt,
} from "./file-calls.ts";
import { AT_REMOVEDIR, bytePath, type KernelPath } from "./files.ts";

/**
 * Removes a path of the host with all that is below it; a missing one is fine. `turn` is waited for now and then, and ends
 * the removal when it throws.
 */
export async function removeTree(path: string, turn: () => Promise<void>): Promise<void> {
  const parentFd = check(tryOpen(dirname(path), O_DIRECTORY), `open ${dirname(path)}`);
  const steps = removal(parentFd, basename(path));
  try {
    let step = steps.next();
    for (; !step.done; step = steps.next()) await turn();
    check(step.value, `remove ${path}`);
  } finally {
    steps.return(0);
    tryClose(parentFd);
  }
}

/** Directories so far down are moved up before they are emptied. */
const maxDepth = 100;

/**
 * Removes a name in the open directory `directoryFd`, with all that is below it; symlinks are removed, never
 * followed. Works for names of any bytes and trees of any depth, with some hundred descriptors and in linear time: what
 * is deep down gets a name of its own in `directoryFd` meanwhile.
 * Returns 0 (also when there is no such name) or -errno.
 */
export function tryRemoveTree(directoryFd: number, name: KernelPath): number {
  const steps = removal(directoryFd, name);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** A step for each directory; the result is 0 or -errno. */
type Removal = Generator<undefined, number>;

function* removal(directoryFd: number, name: KernelPath): Removal {
  const shelf = new Shelf(directoryFd);
  let result = yield* removeBelow(directoryFd, name, shelf, 0);
  for (let deep = shelf.take(); result === 0 && deep !== undefined; deep = shelf.take())
    result = yield* removeBelow(directoryFd, deep, shelf, 0);
  return result;
}

/** Where deep directories wait for their removal. */
class Shelf {
  readonly #names: string[] = [];
  readonly #prefix = `.removed-${randomBytes(8).toString("hex")}-`;
  #last = 0;

  constructor(private readonly directoryFd: number) {}

  /** Moves a directory here. Returns 0 or -errno. */
  tryPut(parentFd: number, name: KernelPath): number {
    const place = `${this.#prefix}${++this.#last}`;
    const result = tryRenameAt(parentFd, name, this.directoryFd, place);
    if (result === 0) this.#names.push(place);
    return result;
  }

  take(): string | undefined {
    return this.#names.pop();
  }
}

function* removeBelow(directoryFd: number, name: KernelPath, shelf: Shelf, depth: number): Removal {
  const result = tryUnlinkAt(directoryFd, name, 0);
  if (result === -ENOENT) return 0;
  // Linux says EISDIR, POSIX EPERM.
  if (result !== -EISDIR && result !== -EPERM) return result;
  if (depth === maxDepth) return shelf.tryPut(directoryFd, name);
  const emptied = yield* emptyDirectory(directoryFd, name, shelf, depth);
  if (emptied === -ENOTDIR) return result;
  return emptied < 0 ? emptied : tryUnlinkAt(directoryFd, name, AT_REMOVEDIR);
}

function* emptyDirectory(directoryFd: number, name: KernelPath, shelf: Shelf, depth: number): Removal {
  const fd = tryOpenAt(directoryFd, name, O_DIRECTORY | O_NOFOLLOW);
  if (fd < 0) return fd;
  try {
    const children = tryReadDirectory(fd);
    if (typeof children === "number") return children;
    for (const child of children) {
      const result = yield* removeBelow(fd, bytePath(child), shelf, depth + 1);
      if (result < 0) return result;
    }
    yield;
    return 0;
  } finally {
    tryClose(fd);
  }
}
