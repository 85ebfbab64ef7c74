/** One holder at a time for each key, first come first served. */
export class KeyedLock {
  private readonly lastOf = new Map<string, Promise<void>>();

  isHeld(key: string): boolean {
    return this.lastOf.has(key);
  }

  /** Waits for its turn; the holder disposes what it got. An aborted waiter throws and keeps nobody waiting. */
  async acquire(key: string, signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    const before = this.lastOf.get(key);
    const { promise: done, resolve: release } = Promise.withResolvers<void>();
    const mine = before === undefined ? done : before.then(() => done);
    this.lastOf.set(key, mine);
    mine.then(() => {
      if (this.lastOf.get(key) === mine) this.lastOf.delete(key);
    });
    try {
      if (before !== undefined) await abortable(before, signal);
    } catch (error) {
      release(); // its place in the queue ends together with the one before
      throw error;
    }
    return { [Symbol.dispose]: release };
  }
}

/** The promise, or the signal's reason if that comes first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", onAbort));
}
