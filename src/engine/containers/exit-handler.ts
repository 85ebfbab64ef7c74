import type { Log } from "../../log/log.ts";
import type { ExitStatus } from "../../shim/contract.ts";
import { formatTimeNs, parseTimeNs } from "../clock.ts";
import { afterAnswers } from "./after-answers.ts";
import type { Container } from "./container.ts";
import type { ContainerCgroups } from "./container-cgroups.ts";
import type { ContainerEvents } from "./container-events.ts";
import type { ContainerStore } from "./container-store.ts";
import type { Remover } from "./remover.ts";
import type { RunResources } from "./run-resources.ts";

/** What follows when a container's process has ended: first the answers, then the clean-up. */
export class ExitHandler {
  constructor(
    private readonly store: ContainerStore,
    private readonly resources: RunResources,
    private readonly remover: Remover,
    private readonly cgroups: ContainerCgroups,
    private readonly events: ContainerEvents,
    private readonly log: Log,
  ) {}

  /** Called once the container is live. */
  watch(container: Container): void {
    const { shim } = container;
    void shim?.init.exited.then((status) => {
      if (container.shim === shim) this.handle(container, status);
    });
  }

  /** Synchronous up to the answers: nobody sees a container that has half ended. */
  handle(container: Container, status: ExitStatus): void {
    const { cgroupPath, state } = container.record;
    const oomKilled = this.cgroups.wasOomKilled(cgroupPath);
    container.shim?.disconnect();
    container.shim = undefined;
    const finishedAt = formatTimeNs(status.exitedAtNs);
    container.apply("exit", { pid: 0, exitCode: status.exitCode, oomKilled, finishedAt });
    if (oomKilled) this.events.publish(container, "oom");
    this.events.publish(container, "die", {
      exitCode: String(status.exitCode),
      execDuration: durationSeconds(state.startedAt, status.exitedAtNs),
    });
    this.log.info("container.exited", { containerId: container.id, exitCode: status.exitCode, oomKilled });
    const removesItself = container.record.hostConfig.AutoRemove === true && !container.isKeptOnExit;
    this.events.publishNetwork(container, "disconnect");
    if (removesItself) this.remover.discard(container);
    else container.cleanup = this.#release(container);
    container.exits.give(status.exitCode);
  }

  async #release(container: Container): Promise<void> {
    this.store.saveIfPossible(container); // the exit code first: a crash in what follows must not lose it
    await afterAnswers();
    await this.resources.release(container);
    container.change({ endpoint: undefined, cgroupPath: undefined });
    await this.store.saveDurably(container).catch(() => this.store.saveIfPossible(container));
  }
}

function durationSeconds(startedAt: string, exitedAtNs: bigint): string {
  const ns = exitedAtNs - (parseTimeNs(startedAt) ?? exitedAtNs);
  return String(ns > 0n ? ns / 1_000_000_000n : 0n);
}
