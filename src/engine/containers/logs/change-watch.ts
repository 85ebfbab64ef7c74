import { watch } from "node:fs";

/**
 * Lets a follower sleep until something in a directory changed. A change between two calls of `changed` is not
 * lost: the next call returns at once.
 */
export class ChangeWatch implements Disposable {
  #pending = false;
  #wake: (() => void) | undefined;
  readonly #watcher: ReturnType<typeof watch>;

  constructor(directory: string) {
    this.#watcher = watch(directory, () => this.wake());
    this.#watcher.on("error", () => this.wake()); // the directory went away: look once more, then see the end
  }

  /** Ends the present or the next sleep. */
  wake(): void {
    this.#pending = true;
    this.#wake?.();
  }

  async changed(): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#pending = false;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}
