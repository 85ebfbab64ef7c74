/**
 * A few things made before they are needed. Taking one costs nothing; the pool makes a new one in the background, one
 * at a time, and later, so that it does not compete with the start for which one was taken; soon once it is empty.
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
      /** Until a new one is made. */
      readonly delayMs?: number;
      /** The same while there is none at all. */
      readonly delayWhenEmptyMs?: number;
    },
  ) {}

  /** A prepared one, or a new one when there is none. */
  async take(): Promise<T> {
    return this.takeReady() ?? (await this.options.make());
  }

  /** A prepared one, if there is any. */
  takeReady(): T | undefined {
    const prepared = this.ready.shift();
    this.scheduleRefill();
    return prepared;
  }

  /** Begins to fill the pool; returns at once. */
  scheduleRefill(): void {
    if (this.closed || this.timer || this.ready.length >= this.options.size) return;
    const { delayMs = 30, delayWhenEmptyMs = 5 } = this.options;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.refill = this.refill.then(() => this.addOne());
      },
      this.ready.length > 0 ? delayMs : delayWhenEmptyMs,
    );
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
