import { systemError } from "../../errors/platform-error.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import type { Killer } from "./killer.ts";
import { parseSignal, sigkill, sigterm } from "./signals.ts";

const defaultTimeoutSeconds = 10;
/** How long the kernel may take to end a killed process: one in an uninterruptible sleep may never do so. */
const killTimeoutMs = 10_000;

export interface StopOptions {
  /** Name or number; default: the container's or image's own, then SIGTERM. */
  readonly signal?: string | undefined;
  /** Seconds until SIGKILL; negative: never. Default: the container's own, then 10. */
  readonly timeoutSeconds?: number | undefined;
}

/** Ends containers the polite way first. */
export class Stopper {
  constructor(
    private readonly events: ContainerEvents,
    private readonly killer: Killer,
  ) {}

  /** `changed` is false for a container that was not running. */
  stop(container: Container, options: StopOptions): Promise<{ changed: boolean }> {
    const signal = stopSignal(container, options);
    return container.lock.run(() => this.stopLocked(container, signal, options));
  }

  /** The same for a caller that holds the container's lock. */
  async stopLocked(
    container: Container,
    signal: number,
    options: StopOptions,
  ): Promise<{ changed: boolean }> {
    if (!container.isLive) return { changed: false };
    await this.#terminate(container, signal, options.timeoutSeconds ?? ownTimeout(container));
    this.events.publish(container, "stop");
    return { changed: true };
  }

  async #terminate(container: Container, signal: number, timeoutSeconds: number): Promise<void> {
    const exited = container.exits.wait();
    await this.killer.signal(container, signal);
    if (timeoutSeconds < 0) {
      await exited;
      return;
    }
    if (await within(exited, timeoutSeconds * 1000)) return;
    await this.killer.signal(container, sigkill);
    if (await within(exited, killTimeoutMs)) return;
    throw systemError(
      `container ${container.id} does not end: its process ${container.record.state.pid} is stuck in the kernel`,
    );
  }
}

export function stopSignal(container: Container, options: StopOptions): number {
  const { config, imageConfig } = container.record;
  const name = options.signal || mergeImageConfig(config, imageConfig).StopSignal;
  return name ? parseSignal(name) : sigterm;
}

const ownTimeout = (container: Container): number =>
  container.record.config.StopTimeout ?? defaultTimeoutSeconds;

/** Whether `event` comes within `ms`. */
async function within(event: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([event.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
