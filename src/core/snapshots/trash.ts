import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import type { StorageDriver } from "./storage-driver.ts";
import type { TreeWork } from "./tree-work.ts";

/** Removing is a rename into this directory; the deleting comes after the answer, or at the next start. */
export class Trash {
  readonly #pending = new Set<Promise<void>>();
  #last = 0;

  constructor(
    private readonly directory: string,
    private readonly trees: TreeWork,
    private readonly driver: Pick<StorageDriver, "release">,
    private readonly log: Log,
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Takes `path` out of the world at once. On the same file system. */
  take(path: string): void {
    const place = this.#place();
    renameSync(path, place);
    this.#delete(place);
  }

  /** Starts to delete what an earlier process left. */
  empty(): void {
    for (const name of readdirSync(this.directory)) this.#delete(join(this.directory, name));
  }

  /** Settles when nothing is being deleted any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #place(): string {
    const names = new Set(readdirSync(this.directory));
    do this.#last++;
    while (names.has(String(this.#last)));
    return join(this.directory, String(this.#last));
  }

  #delete(path: string): void {
    const work = this.#remove(path)
      .catch((error: unknown) => this.log.warn("snapshots.trash-kept", { path, error: messageOf(error) }))
      .finally(() => this.#pending.delete(work));
    this.#pending.add(work);
  }

  /** A container may have left names or depths that only calls by descriptor can reach. */
  async #remove(path: string): Promise<void> {
    await this.driver.release(path);
    try {
      await rm(path, { recursive: true, force: true });
    } catch {
      await this.trees.remove([path]);
    }
  }
}
