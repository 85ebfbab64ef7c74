import { conflict } from "../../errors/platform-error.ts";
import type { Container } from "./container.ts";
import type { ContainerCgroups } from "./container-cgroups.ts";
import type { ContainerEvents } from "./container-events.ts";
import { hasEnded } from "./process-ended.ts";
import { sigkill } from "./signals.ts";

/** Sends signals to a container's first process. */
export class Killer {
  constructor(
    private readonly events: ContainerEvents,
    private readonly cgroups: ContainerCgroups,
  ) {}

  /**
   * SIGKILL settles once the process has ended, any other signal at once.
   * Errors: Conflict `cannot kill container: …` when it is not running.
   */
  async kill(container: Container, signal: number): Promise<void> {
    if (!container.isLive) {
      throw conflict(`cannot kill container: ${container.name}: container ${container.id} is not running`);
    }
    const exited = container.exits.wait();
    await this.signal(container, signal);
    if (signal === sigkill) await exited;
  }

  /** Sends a signal and says so; a process that has just ended is fine. */
  async signal(container: Container, signal: number): Promise<void> {
    try {
      await container.liveShim().init.signal(signal);
    } catch (error) {
      if (!hasEnded(error)) throw error;
      return; // its exit is on the way, if it has not come
    }
    this.events.publish(container, "kill", { signal: String(signal) });
    // A frozen process of cgroup v1 gets its signal only when it thaws.
    const { cgroupPath } = container.record;
    if (signal === sigkill && container.status === "paused" && cgroupPath)
      await this.cgroups.thaw(cgroupPath);
  }
}
