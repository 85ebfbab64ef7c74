import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileError, isMissingFile } from "../../core/content/file-error.ts";
import { syncFile, writeFileDurably } from "../../core/content/write-file-durably.ts";
import { type Digest, isDigest } from "../../formats/digest.ts";

/** The small files below `repositories/<name>/`: written aside, synced and renamed. */
export class RepositoryFiles {
  private drafts = 0;

  /** Makes the directories; what a crash left half-written is removed. */
  constructor(private readonly root: string) {
    rmSync(this.draftDirectory, { recursive: true, force: true });
    mkdirSync(this.draftDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(join(root, "repositories"), { recursive: true, mode: 0o700 });
  }

  path(name: string, ...rest: string[]): string {
    return join(this.root, "repositories", name, ...rest);
  }

  /** Every repository that was ever written to. */
  everyName(): string[] {
    const found: string[] = [];
    const visit = (path: string) => {
      const folders = readdirSync(this.path(path), { withFileTypes: true }).filter((entry) =>
        entry.isDirectory(),
      );
      if (folders.some(({ name }) => name.startsWith("_"))) found.push(path);
      for (const { name } of folders)
        if (!name.startsWith("_")) visit(path === "" ? name : `${path}/${name}`);
    };
    visit("");
    return found;
  }

  /** Errors: errno.ENOSPC and its like. */
  async write(path: string, text: string): Promise<void> {
    this.drafts += 1;
    const draft = join(this.draftDirectory, String(this.drafts)); // nobody else's, though others write meanwhile
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileDurably(path, text, draft);
    } catch (error) {
      throw fileError(error, `write ${relative(join(this.root, "repositories"), path)}`);
    }
  }

  /** Undefined when it is not there. */
  async read(path: string): Promise<string | undefined> {
    return await readFile(path, "utf8").catch(undefinedIfMissing);
  }

  /** False if it was not there. */
  async remove(path: string): Promise<boolean> {
    try {
      await rm(path);
    } catch (error) {
      return undefinedIfMissing(error) ?? false;
    }
    await syncFile(dirname(path));
    return true;
  }

  /** Names in a directory, in no order. */
  async list(directory: string): Promise<string[]> {
    return (await readdir(directory).catch(undefinedIfMissing)) ?? [];
  }

  digestsIn(directory: string): Digest[] {
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .map((name) => name.replace("-", ":"))
      .filter(isDigest);
  }

  /** When it was written or touched last, in milliseconds; undefined when it is not there. */
  async usedAtMs(path: string): Promise<number | undefined> {
    const status = await stat(path).catch(undefinedIfMissing);
    return status && Math.floor(status.mtimeMs); // as Date.now() tells it
  }

  /** Makes it look as if it had just been written. False when it is not there. */
  async touch(path: string): Promise<boolean> {
    const now = new Date();
    try {
      await utimes(path, now, now);
      return true;
    } catch {
      // A file system that became read-only loses nothing by it.
      return existsSync(path);
    }
  }

  private get draftDirectory(): string {
    return join(this.root, "drafts");
  }
}

export const digestFileName = (digest: Digest): string => digest.replace(":", "-");

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissingFile(error)) throw error;
}
