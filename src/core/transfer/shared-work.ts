import { PlatformError } from "../../errors/platform-error.ts";
import { abortable } from "../content/keyed-lock.ts";
import type { Progress } from "./contract.ts";

export interface Subscriber {
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

interface Running<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  readonly listeners: Set<Subscriber["onProgress"]>;
  /** The last message of each line, for those who come later. */
  readonly lines: Map<string, Progress>;
}

/**
 * Work that several callers want at the same time is done once, and all see its progress. It is aborted when
 * the last of them goes away.
 */
export class SharedWork<T> {
  private readonly running = new Map<string, Running<T>>();

  /** `start` is called if nobody does the work of this key yet. */
  async join(key: string, subscriber: Subscriber, start: (subscriber: Subscriber) => Promise<T>): Promise<T> {
    subscriber.signal.throwIfAborted();
    const work = this.running.get(key) ?? this.begin(key, start);
    // A listener of its own: the same function may be there twice.
    const listener = (progress: Progress) => subscriber.onProgress(progress);
    for (const line of work.lines.values()) listener(line);
    work.listeners.add(listener);
    try {
      return await abortable(work.result, subscriber.signal);
    } finally {
      work.listeners.delete(listener);
      if (work.listeners.size === 0) this.abandon(key, work);
    }
  }

  private begin(key: string, start: (subscriber: Subscriber) => Promise<T>): Running<T> {
    const abort = new AbortController();
    const listeners = new Set<Subscriber["onProgress"]>();
    const lines = new Map<string, Progress>();
    const onProgress = (progress: Progress) => {
      lines.set(progress.id ?? `message ${lines.size}`, progress);
      for (const listener of listeners) listener(progress);
    };
    // Begins only after the first listener is there.
    const result = Promise.resolve().then(() => start({ onProgress, signal: abort.signal }));
    const work = { result, abort, listeners, lines };
    this.running.set(key, work);
    const forget = () => {
      if (this.running.get(key) === work) this.running.delete(key);
    };
    result.then(forget, forget);
    return work;
  }

  private abandon(key: string, work: Running<T>): void {
    if (this.running.get(key) !== work) return;
    this.running.delete(key);
    work.abort.abort(new PlatformError("Cancelled", "nobody waits for it any more"));
  }
}
