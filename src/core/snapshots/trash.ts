import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import type { StorageDriver } from "./storage-driver.ts";
import type { TreeWork } from "./tree-work.ts";

/** Time for answers that the deleting would stand in the way of: it shares their threads and the disk. */
const answeringMs = 50;

/**
 * Removing is a rename into this directory; the deleting comes after the answer, one thing after the other, or at the next
 * start.
 */
export class Trash {
  readonly #waiting: string[] = [];
  #deleting: Promise<void> | undefined;
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
    this.#enqueue(place);
  }

  /** Starts to delete what an earlier process left. */
  empty(): void {
    for (const name of readdirSync(this.directory)) this.#enqueue(join(this.directory, name));
  }

  /** Settles when nothing is being deleted any more. */
  async settled(): Promise<void> {
    while (this.#deleting) await this.#deleting;
  }

  #place(): string {
    const names = new Set(readdirSync(this.directory));
    do this.#last++;
    while (names.has(String(this.#last)));
    return join(this.directory, String(this.#last));
  }

  #enqueue(path: string): void {
    this.#waiting.push(path);
    this.#deleting ??= this.#deleteWaiting();
  }

  async #deleteWaiting(): Promise<void> {
    await Bun.sleep(answeringMs);
    for (let path = this.#waiting.shift(); path !== undefined; path = this.#waiting.shift()) {
      await this.#remove(path).catch((error: unknown) => {
        this.log.warn("snapshots.trash-kept", { path, error: messageOf(error) });
      });
    }
    this.#deleting = undefined; // in the same turn as the last look: what comes now begins anew
  }

  /**
   * A container may have left names that only calls by descriptor can reach, and depths at which the library's removal,
   * whose time grows with their square, would never end. Layers have a limit of depth.
   */
  async #remove(path: string): Promise<void> {
    await this.driver.release(path);
    try {
      if (existsSync(join(path, "upper"))) return await this.trees.remove([path]);
      await rm(path, { recursive: true, force: true });
    } catch {
      await this.trees.remove([path]);
    }
  }
}
