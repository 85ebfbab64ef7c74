import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file so that after a crash either the old or the whole new content is there: written aside at
 * `temporaryPath` (same file system), fsynced, renamed, directory fsynced. On an error nothing is left behind.
 */
export async function writeFileDurably(
  path: string,
  content: Uint8Array | string,
  temporaryPath = `${path}.new`,
): Promise<void> {
  try {
    await writeSynced(temporaryPath, content);
    await renameDurably(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}

async function writeSynced(path: string, content: Uint8Array | string): Promise<void> {
  await using file = await open(path, "w", 0o600);
  await file.writeFile(content);
  await file.sync();
}

/** Gives a file, which is already fsynced, its final name for good. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFile(dirname(to));
}

/** Brings a file or a directory to the disk. */
export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, "r");
  await file.sync();
}
