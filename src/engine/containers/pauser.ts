import { conflict } from "../../errors/platform-error.ts";
import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import type { ContainerStore } from "./container-store.ts";
import type { Freezer } from "./freezer.ts";

/** Freezes and thaws all processes of a container. */
export class Pauser {
  constructor(
    private readonly store: ContainerStore,
    private readonly events: ContainerEvents,
    private readonly freezer: Freezer,
  ) {}

  pause(container: Container): Promise<void> {
    return container.lock.run(async () => {
      if (container.status === "paused") throw conflict(`container ${container.id} is already paused`);
      container.liveShim();
      await this.freezer.freeze(container.record.cgroups);
      container.apply("pause");
      this.store.save(container);
      this.events.publish(container, "pause");
    });
  }

  unpause(container: Container): Promise<void> {
    return container.lock.run(async () => {
      if (container.status !== "paused") throw conflict(`container ${container.id} is not paused`);
      this.freezer.thaw(container.record.cgroups);
      container.apply("unpause");
      this.store.save(container);
      this.events.publish(container, "unpause");
    });
  }
}
