import { nowNs } from "../clock.ts";
import type { EngineEvent, EventType } from "./event.ts";

const historyLength = 256;

/** Publishes events to whoever listens, and keeps the last 256 for `--since`. */
export class EventBus {
  readonly #history: EngineEvent[] = [];
  readonly #listeners = new Set<(event: EngineEvent) => void>();

  constructor(private readonly clock: () => bigint = nowNs) {}

  publish(type: EventType, action: string, actorId: string, attributes: Record<string, string> = {}): void {
    const event: EngineEvent = { type, action, actorId, attributes, timeNs: this.clock() };
    this.#history.push(event);
    if (this.#history.length > historyLength) this.#history.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** The kept events from `sinceNs` on, oldest first. */
  history(sinceNs: bigint): EngineEvent[] {
    return this.#history.filter((event) => event.timeNs >= sinceNs);
  }

  /** Calls `listener` for each further event until the returned function is called. A listener must not throw. */
  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }
}
