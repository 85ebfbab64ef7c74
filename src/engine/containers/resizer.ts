import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";

/** Sets the size of a container's terminal. */
export class Resizer {
  constructor(private readonly events: ContainerEvents) {}

  async resize(container: Container, rows: number, columns: number): Promise<void> {
    await container.liveShim().init.resize(rows, columns);
    this.events.publish(container, "resize", { height: String(rows), width: String(columns) });
  }
}
