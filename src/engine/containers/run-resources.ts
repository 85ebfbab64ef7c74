import { join } from "node:path";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { messageOf } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import type { Networks } from "../../network/contract.ts";
import type { ShimLauncher } from "../../shim/contract.ts";
import type { Container } from "./container.ts";
import type { ContainerCgroups } from "./container-cgroups.ts";

/**
 * What one run of a container holds beside its processes: mounted root, cgroups, endpoint, the shim's directory.
 * Everything here is released after the exit was answered; failures are logged, and the rest is released all the same.
 */
export class RunResources {
  /** Endpoints that are being released: their ports and addresses are free in a moment. */
  readonly #disconnecting = new Set<Promise<void>>();

  constructor(
    private readonly stateDirectory: string,
    private readonly snapshots: Snapshotter,
    private readonly networks: Networks,
    private readonly shims: ShimLauncher,
    private readonly cgroups: ContainerCgroups,
    private readonly log: Log,
  ) {}

  /** The shim's directory: sockets have to be short, so it is named by half of the id. */
  shimDirectory(containerId: string): string {
    return join(this.stateDirectory, "shims", containerId.slice(0, 32));
  }

  /** Settles when all is released; never rejects. The record no longer names an endpoint or cgroups after it. */
  async release(container: Container): Promise<void> {
    const { id, cgroupPath } = container.record;
    await Promise.all([
      this.#disconnect(id),
      this.#logged(id, "unmount", () => this.snapshots.unmount(id)),
      this.#logged(id, "cgroups", () => this.cgroups.remove(cgroupPath)),
      this.#logged(id, "shim", () => this.shims.forget(this.shimDirectory(id))),
    ]);
  }

  /** Settles when the releases that were under way are through. False when there were none. */
  async settleDisconnects(): Promise<boolean> {
    if (this.#disconnecting.size === 0) return false;
    await Promise.all(this.#disconnecting);
    return true;
  }

  async #disconnect(id: string): Promise<void> {
    const done = this.#logged(id, "network", () => this.networks.disconnect(id));
    this.#disconnecting.add(done);
    await done;
    this.#disconnecting.delete(done);
  }

  async #logged(containerId: string, what: string, release: () => Promise<void>): Promise<void> {
    try {
      await release();
    } catch (error) {
      this.log.warn("container.release-failed", { containerId, what, message: messageOf(error) });
    }
  }
}
