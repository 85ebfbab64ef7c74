import { conflict, notImplemented } from "../../errors/platform-error.ts";
import type { Container } from "./container.ts";
import type { ContainerCgroups } from "./container-cgroups.ts";
import type { ContainerEvents } from "./container-events.ts";
import type { ContainerStore } from "./container-store.ts";

/** Freezes and thaws all processes of a container. */
export class Pauser {
  constructor(
    private readonly store: ContainerStore,
    private readonly events: ContainerEvents,
    private readonly cgroups: ContainerCgroups,
  ) {}

  /** `isPassing`: an engine that dies meanwhile lets the container go on at its next start. */
  pause(container: Container, { isPassing = false } = {}): Promise<void> {
    return container.lock.run(async () => {
      if (container.status === "paused") throw conflict(`container ${container.id} is already paused`);
      container.liveShim();
      await this.cgroups.freeze(cgroupOf(container));
      container.apply("pause");
      if (!isPassing) this.store.saveIfPossible(container);
      this.events.publish(container, "pause");
    });
  }

  unpause(container: Container): Promise<void> {
    return container.lock.run(async () => {
      if (container.status !== "paused") throw conflict(`container ${container.id} is not paused`);
      await this.cgroups.thaw(cgroupOf(container));
      container.apply("unpause");
      this.store.saveIfPossible(container);
      this.events.publish(container, "unpause");
    });
  }
}

function cgroupOf(container: Container): string {
  const { cgroupPath } = container.record;
  if (cgroupPath === undefined) throw notImplemented("pausing needs a cgroup, and this container has none");
  return cgroupPath;
}
