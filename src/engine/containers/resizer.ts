import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import { asNotRunning } from "./process-ended.ts";

/** Sets the size of a container's terminal. */
export class Resizer {
  constructor(private readonly events: ContainerEvents) {}

  async resize(container: Container, rows: number, columns: number): Promise<void> {
    try {
      await container.liveShim().init.resize(rows, columns);
    } catch (error) {
      throw asNotRunning(error, container.id);
    }
    this.events.publish(container, "resize", { height: String(rows), width: String(columns) });
  }
}
