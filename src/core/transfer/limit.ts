import { abortable } from "../content/keyed-lock.ts";

/** So many at the same time, the others wait in the order in which they came. */
export class Limit {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** `onWait` is called if there is no place at once. Dispose what comes back to give the place away, once. */
  async enter(signal: AbortSignal, onWait?: () => void): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.free > 0) this.free--;
    else {
      onWait?.();
      await this.wait(signal);
    }
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.leave();
        held = false;
      },
    };
  }

  private async wait(signal: AbortSignal): Promise<void> {
    const { promise: turn, resolve } = Promise.withResolvers<void>();
    this.waiting.push(resolve);
    try {
      await abortable(turn, signal);
    } catch (error) {
      const place = this.waiting.indexOf(resolve);
      if (place >= 0) this.waiting.splice(place, 1);
      else this.leave(); // the turn came in the same moment
      throw error;
    }
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free++;
  }
}
