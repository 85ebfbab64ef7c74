import { rm } from "node:fs/promises";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { messageOf } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import type { Endpoint, Networks } from "../../network/contract.ts";
import type { Adoption, ExitStatus, Shim, ShimLauncher } from "../../shim/contract.ts";
import { formatTimeNs, nowNs } from "../clock.ts";
import type { Container } from "./container.ts";
import type { ContainerCgroups } from "./container-cgroups.ts";
import type { ContainerStore } from "./container-store.ts";
import type { ExitHandler } from "./exit-handler.ts";
import type { RunResources } from "./run-resources.ts";
import { sigkill } from "./signals.ts";
import { isLive } from "./state-machine.ts";

/** What Docker shows for a container whose end nobody saw. */
const lostExitCode = 255;

/**
 * Takes over what an earlier engine left. The kernel and the shims are believed first, the records second: a live
 * container goes on, one that ended meanwhile gets its exit code, half-done starts and removals are undone or finished.
 */
export class Adopter {
  constructor(
    private readonly store: ContainerStore,
    private readonly snapshots: Snapshotter,
    private readonly networks: Networks,
    private readonly shims: ShimLauncher,
    private readonly resources: RunResources,
    private readonly cgroups: ContainerCgroups,
    private readonly exits: ExitHandler,
    /** Writable tops that no container owns, and that are needed all the same. */
    private readonly isSnapshotHeld: (key: string) => boolean,
    private readonly log: Log,
  ) {}

  /** Settles when every container of the store is in its true state. Opens the networks on the way. */
  async adopt(): Promise<void> {
    const containers = this.store.list();
    const found = await Promise.all(
      containers.map(async (container) => ({ container, adoption: await this.#ask(container) })),
    );
    await this.networks.open(endpointsOf(found));
    await Promise.all(found.map(({ container, adoption }) => this.#settle(container, adoption)));
    await this.#removeLeftovers();
  }

  async #ask(container: Container): Promise<Adoption> {
    const { id } = container;
    const adoption = await this.shims.adopt(id, this.resources.shimDirectory(id));
    if (adoption.state !== "live" || adoption.started) return adoption;
    // Its start was cut in the middle, and whoever asked for it has gone: undo it.
    await adoption.shim.init.signal(sigkill).catch(() => undefined);
    await adoption.shim.init.exited;
    adoption.shim.disconnect();
    return { state: "lost" };
  }

  async #settle(container: Container, adoption: Adoption): Promise<void> {
    try {
      if (adoption.state === "live") await this.#resume(container, adoption.shim);
      else if (adoption.state === "exited") await this.#exited(container, adoption.status);
      else await this.#lost(container);
    } catch (error) {
      this.log.error("container.adopt-failed", { containerId: container.id, message: messageOf(error) });
    }
  }

  async #resume(container: Container, shim: Shim): Promise<void> {
    const { id, endpoint } = container.record;
    container.shim = shim;
    // The last save may be from before the start was recorded.
    if (!isLive(container.status)) container.apply("start");
    container.changeState({ pid: shim.init.pid });
    if (endpoint) await this.networks.adopt(id, endpoint);
    this.store.saveIfPossible(container);
    this.exits.watch(container);
    const { cgroupPath } = container.record;
    // Frozen for a commit that the engine did not live to end.
    if (container.status === "running" && cgroupPath !== undefined) await this.cgroups.thaw(cgroupPath);
    this.log.info("container.adopted", { containerId: id, pid: shim.init.pid });
  }

  /** It ended while no engine ran, or the engine died while it cleaned up after the exit. */
  async #exited(container: Container, status: ExitStatus): Promise<void> {
    const isRecorded = container.record.state.finishedAt === formatTimeNs(status.exitedAtNs);
    if (isRecorded) {
      await this.#releaseRun(container);
      return;
    }
    if (!isLive(container.status)) container.apply("start"); // its start was not recorded any more
    this.exits.handle(container, status);
  }

  async #lost(container: Container): Promise<void> {
    if (isLive(container.status)) {
      this.exits.handle(container, { exitCode: lostExitCode, signal: 0, exitedAtNs: nowNs() });
      return;
    }
    if (container.record.endpoint || container.record.cgroupPath !== undefined)
      await this.#releaseRun(container);
  }

  async #releaseRun(container: Container): Promise<void> {
    await this.resources.release(container);
    container.change({ endpoint: undefined, cgroupPath: undefined });
    this.store.saveIfPossible(container);
  }

  /** Removals that were cut in the middle: directories, and snapshots without a container. */
  async #removeLeftovers(): Promise<void> {
    for (const { record, directory } of this.store.takeDoomed()) {
      if (record) {
        await this.cgroups.remove(record.cgroupPath).catch(() => undefined);
        await this.shims.forget(this.resources.shimDirectory(record.id));
      }
      await rm(directory, { recursive: true, force: true });
    }
    for (const key of this.snapshots.keys()) {
      const isNeeded = this.store.ownerOf(key) !== undefined || this.isSnapshotHeld(key);
      if (!isNeeded) await this.snapshots.remove(key);
    }
    for (const key of this.snapshots.mountedKeys()) {
      const isMountNeeded = this.store.find(key)?.isLive || this.isSnapshotHeld(key);
      if (!isMountNeeded) await this.snapshots.unmount(key);
    }
  }
}

type Found = readonly { readonly container: Container; readonly adoption: Adoption }[];

function endpointsOf(found: Found): Map<string, Endpoint> {
  return new Map(
    found.flatMap(({ container, adoption }) =>
      adoption.state === "live" && container.record.endpoint
        ? [[container.id, container.record.endpoint] as const]
        : [],
    ),
  );
}
