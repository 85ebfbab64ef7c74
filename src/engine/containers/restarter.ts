import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import type { Starter } from "./starter.ts";
import { type StopOptions, type Stopper, stopSignal } from "./stopper.ts";

/** Stops and starts in one go; a container that is not running is just started. */
export class Restarter {
  constructor(
    private readonly events: ContainerEvents,
    private readonly stopper: Stopper,
    private readonly starter: Starter,
  ) {}

  restart(container: Container, options: StopOptions): Promise<void> {
    const signal = stopSignal(container, options);
    return container.lock.run(async () => {
      container.isKeptOnExit = true; // `--rm` means the last exit, not this one
      try {
        await this.stopper.stopLocked(container, signal, options);
      } finally {
        container.isKeptOnExit = false;
      }
      await this.starter.startLocked(container);
      this.events.publish(container, "restart");
    });
  }
}
