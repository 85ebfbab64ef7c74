import { rm } from "node:fs/promises";
import { conflict, messageOf } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Log } from "../../log/log.ts";
import { afterAnswers } from "./after-answers.ts";
import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import type { ContainerStore } from "./container-store.ts";
import type { ContainerTops } from "./container-tops.ts";
import type { ExecService } from "./exec-service.ts";
import type { Killer } from "./killer.ts";
import type { RunResources } from "./run-resources.ts";
import { sigkill } from "./signals.ts";

/** Makes containers disappear. */
export class Remover {
  readonly #pending = new Set<Container>();

  constructor(
    private readonly store: ContainerStore,
    private readonly tops: Pick<ContainerTops, "remove">,
    private readonly resources: RunResources,
    private readonly killer: Killer,
    private readonly execs: ExecService,
    private readonly events: ContainerEvents,
    private readonly log: Log,
  ) {}

  /**
   * `force` kills a live container first. Settles when nothing of the container is left.
   * Errors: Conflict with Docker's wording for a live container without `force`.
   */
  async remove(container: Container, options: { force: boolean }): Promise<void> {
    if (container.status === "removing") {
      throw conflict(`removal of container ${container.name} is already in progress`);
    }
    await container.lock.run(async () => {
      if (container.isLive) await this.#endFirst(container, options.force);
      if (container.status === "removing") return; // `--rm` was quicker
      await container.cleanup;
      this.discard(container);
    });
    await container.cleanup;
  }

  async #endFirst(container: Container, force: boolean): Promise<void> {
    if (!force) {
      throw conflict(
        `cannot remove container "/${container.name}": container is ${container.status}: stop the container before removing or force remove`,
        { hint: "stop it first, or remove it with --force" },
      );
    }
    const exited = container.exits.wait();
    await this.killer.signal(container, sigkill);
    await exited;
  }

  /**
   * The container is gone for everybody when this returns: id and name are free, waits are answered. What it held is
   * released and deleted in the background; `container.cleanup` tells when, and `open` of the store finishes it after
   * a crash.
   */
  discard(container: Container): void {
    container.apply("remove");
    const doomed = this.store.forget(container);
    this.execs.forgetContainer(container);
    container.attachments.endAll();
    this.events.publish(container, "destroy");
    const { exitCode } = container.record.state;
    container.removals.give(exitCode);
    container.exits.give(exitCode);
    container.cleanup = this.#delete(container, doomed);
    this.#pending.add(container);
    void container.cleanup.then(() => this.#pending.delete(container));
  }

  /** Settles when everything discarded so far is deleted; only containers of the `images`, if given. */
  async settle(images?: readonly Digest[]): Promise<void> {
    const meant = [...this.#pending].filter(({ record }) => images?.includes(record.imageId) ?? true);
    await Promise.all(meant.map(({ cleanup }) => cleanup));
  }

  async #delete(container: Container, doomed: string): Promise<void> {
    await container.cleanup;
    await afterAnswers();
    if (container.record.cgroupPath !== undefined || container.record.endpoint)
      await this.resources.release(container);
    try {
      await this.tops.remove(container.id);
      await rm(doomed, { recursive: true, force: true });
    } catch (error) {
      this.log.warn("container.delete-failed", { containerId: container.id, message: messageOf(error) });
    }
  }
}
