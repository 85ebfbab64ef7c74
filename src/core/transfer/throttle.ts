/** Between two counts of a layer. */
const intervalMs = 100;

/** Says when the next count of a layer is due. */
export class Throttle {
  private lastMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  isDue(): boolean {
    const now = this.nowMs();
    if (now - this.lastMs < intervalMs) return false;
    this.lastMs = now;
    return true;
  }

  reset(): void {
    this.lastMs = Number.NEGATIVE_INFINITY;
  }
}
