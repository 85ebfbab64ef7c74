import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { conflict, notFound, systemError } from "../../errors/platform-error.ts";
import { errnoOf, fileError } from "../../kernel/cgroup-files.ts";
import { tryLock } from "../../kernel/file-lock.ts";
import { removeRestoreRoot } from "../criu/restore-root.ts";
import { checkContainerId, isContainerId } from "./container-id.ts";

/** Of the runtime's root and of each container's directory: a container's own root passes through, and lists nothing. */
const directoryMode = 0o711;

/** Errors: InvalidParameter for a malformed id, which could lead out of the root. */
export function containerDirectory(root: string, id: string): string {
  checkContainerId(id);
  return join(root, id);
}

const idIsTaken = (id: string) =>
  conflict("container with given ID already exists", { hint: `\`delete --force ${id}\` removes it` });

/**
 * Before anything else of a bundle is looked at, as its cgroup is in use, too, when its container is there. Whoever makes the directory
 * first has the id all the same.
 * Errors: InvalidParameter for a malformed id, Conflict for one that is there.
 */
export function requireFreeId(root: string, id: string): void {
  if (existsSync(containerDirectory(root, id))) throw idIsTaken(id);
}

export const noSuchContainer = () =>
  notFound("container does not exist", { hint: "list the containers of this --root with `list`" });

/** A held lock; whoever makes or removes a container has it. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Makes the directory of a new container, locked, so that nobody takes it for the rest of a killed runtime.
 * Errors: Conflict for an id that is there.
 */
export function makeContainerDirectory(root: string, id: string): { directory: string; lock: DirectoryLock } {
  const directory = containerDirectory(root, id);
  try {
    mkdirSync(root, { recursive: true, mode: directoryMode });
    mkdirSync(directory, { mode: directoryMode });
  } catch (error) {
    if (errnoOf(error) === "EEXIST" && existsSync(directory)) throw idIsTaken(id);
    throw systemError(fileError(error, `make ${directory}`).message, {
      cause: error,
      hint: "--root chooses another place",
    });
  }
  chmodSync(directory, directoryMode); // whatever the umask is
  const lock = tryLockDirectory(directory);
  if (lock === undefined) throw conflict(`container ${id} is being removed`);
  return { directory, lock };
}

/** Undefined when somebody else holds it. Errors: NotFound when the directory is not there (any more). */
export function tryLockDirectory(directory: string): DirectoryLock | undefined {
  const fd = openDirectory(directory);
  const release = () => closeSync(fd);
  try {
    if (!tryLock(fd, directory)) {
      release();
      return undefined;
    }
    requireSame(fd, directory);
    return { release };
  } catch (error) {
    release();
    throw error;
  }
}

function openDirectory(directory: string): number {
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw noSuchContainer();
    throw fileError(error, `open ${directory}`);
  }
}

/** The lock may have been given to us because the directory was removed, or made anew. */
function requireSame(fd: number, directory: string): void {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined || found.ino !== fstatSync(fd).ino) throw noSuchContainer();
}

const lockAttempts = 1000;
const lockPauseMs = 10;

/** Waits for whoever is making or removing the container. Errors: NotFound; Conflict after ten seconds. */
export function lockDirectory(directory: string): DirectoryLock {
  for (let attempt = 0; attempt < lockAttempts; attempt++) {
    const lock = tryLockDirectory(directory);
    if (lock !== undefined) return lock;
    Bun.sleepSync(lockPauseMs);
  }
  throw conflict(`${directory} is in use by another command that makes or removes this container`);
}

/** What a `restore` that was killed has mounted there is unmounted first: it must not be taken for a part of the directory. */
export function removeContainerDirectory(directory: string): void {
  removeRestoreRoot(directory);
  rmSync(directory, { recursive: true, force: true });
}

/** The ids below a root, sorted; none when it is not there. */
export function listContainerIds(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .filter(isContainerId)
      .sort();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw fileError(error, `list ${root}`);
  }
}
