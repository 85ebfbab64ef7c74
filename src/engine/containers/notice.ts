/** One-shot notifications: `wait` until the next `give`. */
export class Notice<T> {
  #waiters = new Set<(value: T) => void>();

  /** Rejects with the signal's reason when it aborts first. */
  wait(signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const abort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
      };
      const waiter = (value: T): void => {
        signal?.removeEventListener("abort", abort);
        resolve(value);
      };
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  give(value: T): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const waiter of waiters) waiter(value);
  }
}
