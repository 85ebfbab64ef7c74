import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import { parseContainerName } from "./container-name.ts";
import type { ContainerStore } from "./container-store.ts";

/** Gives a container another name. */
export class Renamer {
  constructor(
    private readonly store: ContainerStore,
    private readonly events: ContainerEvents,
  ) {}

  async rename(container: Container, given: string): Promise<void> {
    if (given === "") throw invalidParameter("Neither old nor new names may be empty");
    const name = parseContainerName(given);
    await container.lock.run(async () => {
      const oldName = container.name;
      if (name === oldName) {
        throw invalidParameter("Renaming a container with the same name as its current name");
      }
      if (container.status === "removing") throw conflict(`container ${container.id} is being removed`);
      this.store.rename(container, name);
      this.events.publish(container, "rename", { oldName: `/${oldName}` });
    });
  }
}
