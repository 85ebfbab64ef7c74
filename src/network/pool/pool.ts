/**
 * A few things made before they are needed. Taking one costs nothing; the pool makes a new one in the background, one
 * at a time, some milliseconds later, so that it does not compete with the start for which one was taken.
 */
export class Pool<T> {
  private readonly ready: T[] = [];
  private timer: NodeJS.Timeout | undefined;
  private refill: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly options: {
      readonly size: number;
      readonly make: () => Promise<T>;
      readonly drop: (item: T) => Promise<void>;
      /** A failed refill; the next take tries again, and gets the error itself. */
      readonly failed: (error: unknown) => void;
      readonly delayMs?: number;
    },
  ) {}

  /** A prepared one, or a new one when there is none. */
  async take(): Promise<T> {
    const prepared = this.ready.shift();
    this.scheduleRefill();
    return prepared ?? (await this.options.make());
  }

  /** Begins to fill the pool; returns at once. */
  scheduleRefill(): void {
    if (this.closed || this.timer || this.ready.length >= this.options.size) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.refill = this.refill.then(() => this.addOne());
    }, this.options.delayMs ?? 5);
    this.timer.unref();
  }

  private async addOne(): Promise<void> {
    if (this.closed || this.ready.length >= this.options.size) return;
    try {
      this.ready.push(await this.options.make());
      this.scheduleRefill();
    } catch (error) {
      this.options.failed(error);
    }
  }

  /** Drops what is prepared; what was taken stays. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.refill;
    await Promise.all(this.ready.splice(0).map((item) => this.options.drop(item)));
  }
}
