/** How long the parts of one operation took, in milliseconds since the part before. */
export class Spans {
  readonly #parts: Record<string, number> = {};
  readonly #begin = performance.now();
  #last = this.#begin;

  /** Ends the part that is under way. */
  mark(part: string): void {
    const now = performance.now();
    this.#parts[part] = round(now - this.#last);
    this.#last = now;
  }

  /** All parts, and their sum as `totalMs`. */
  fields(): Record<string, number> {
    return { ...this.#parts, totalMs: round(this.#last - this.#begin) };
  }
}

const round = (ms: number): number => Math.round(ms * 100) / 100;
