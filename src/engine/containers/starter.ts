import { fileError } from "../../core/content/file-error.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { conflict, messageOf, type PlatformError } from "../../errors/platform-error.ts";
import { executeHostSteps } from "../../kernel/execute-host-steps.ts";
import type { Plan } from "../../kernel/steps.ts";
import type { Log } from "../../log/log.ts";
import type { Endpoint, Networks } from "../../network/contract.ts";
import type { Shim, ShimLauncher } from "../../shim/contract.ts";
import { diagnoseStart } from "../../shim/diagnose-start.ts";
import { formatTimeNs } from "../clock.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import { makeBindSources } from "./bind-sources.ts";
import type { Container } from "./container.ts";
import type { ContainerCgroups } from "./container-cgroups.ts";
import type { ContainerEvents } from "./container-events.ts";
import type { ContainerStore } from "./container-store.ts";
import type { ExitHandler } from "./exit-handler.ts";
import { shimLog } from "./log-config.ts";
import { portRequests } from "./port-requests.ts";
import type { Remover } from "./remover.ts";
import { writeRunFiles } from "./run-files.ts";
import type { RunPlanner } from "./run-planner.ts";
import type { RunResources } from "./run-resources.ts";
import { sigkill } from "./signals.ts";
import { Spans } from "./spans.ts";
import { startFailure } from "./start-failure.ts";

/** Starts containers: the hot path of `run`. Everything acquired is released newest first when a later part fails. */
export class Starter {
  constructor(
    private readonly store: ContainerStore,
    private readonly snapshots: Snapshotter,
    private readonly networks: Networks,
    private readonly shims: ShimLauncher,
    private readonly planner: RunPlanner,
    private readonly resources: RunResources,
    private readonly cgroups: ContainerCgroups,
    private readonly exits: ExitHandler,
    private readonly remover: Remover,
    private readonly events: ContainerEvents,
    private readonly log: Log,
  ) {}

  /** `changed` is false for a container that runs already. */
  start(container: Container): Promise<{ changed: boolean }> {
    return container.lock.run(() => this.startLocked(container));
  }

  /** The same for a caller that holds the container's lock. */
  async startLocked(container: Container): Promise<{ changed: boolean }> {
    if (container.status === "running") return { changed: false };
    if (container.status === "paused") throw conflict("cannot start a paused container, try unpause instead");
    if (container.status === "removing") {
      throw conflict("container is marked for removal and cannot be started");
    }
    await container.cleanup;
    try {
      await this.#run(container);
    } catch (error) {
      throw this.#failed(container, error);
    }
    return { changed: true };
  }

  async #run(container: Container): Promise<void> {
    const spans = new Spans();
    await using undo = new AsyncDisposableStack();
    const { rootDirectory, endpoint } = await this.#acquire(container, undo, spans);
    const files = writeRunFiles(container.record, endpoint, this.store.directory(container.id));
    spans.mark("filesMs");
    const { plan, cgroupPath } = this.planner.planRun(container.record, { rootDirectory, endpoint, files });
    spans.mark("planMs");
    container.change({ endpoint, cgroupPath });
    this.store.save(container); // before anything of it exists: a restarted engine finds what to release
    spans.mark("saveMs");
    undo.defer(() => this.cgroups.remove(cgroupPath));
    executeHostSteps(plan);
    spans.mark("cgroupMs");
    const shim = await this.#launch(container, plan, undo);
    spans.mark("launchMs");
    const { startedAtNs } = await shim.init.start().catch((error: unknown) => {
      throw diagnoseStart(error, plan, rootDirectory);
    });
    spans.mark("startMs");
    undo.move();
    this.#started(container, shim, startedAtNs);
    spans.mark("recordMs");
    this.log.info("container.started", { containerId: container.id, pid: shim.init.pid, ...spans.fields() });
  }

  /** Root and network, at the same time. */
  async #acquire(
    container: Container,
    undo: AsyncDisposableStack,
    spans: Spans,
  ): Promise<{ rootDirectory: string; endpoint: Endpoint }> {
    const { id } = container;
    makeBindSources(container.record.hostConfig);
    const connecting = this.#connect(container);
    connecting.catch(() => undefined); // awaited below; a failing mount must not leave it unhandled
    undo.defer(async () => {
      await connecting.catch(() => undefined);
      await this.networks.disconnect(id);
    });
    const root = this.snapshots.mount(id);
    undo.defer(() => this.snapshots.unmount(id));
    spans.mark("mountMs");
    const endpoint = await connecting;
    spans.mark("networkMs");
    return { rootDirectory: root.merged, endpoint };
  }

  /** A port or the last address may still belong to a container that has just ended: then wait for its release. */
  async #connect(container: Container): Promise<Endpoint> {
    const { id, name, config, hostConfig, imageConfig } = container.record;
    const request = {
      containerId: id,
      containerName: name,
      network: hostConfig.NetworkMode || "default",
      ports: portRequests(mergeImageConfig(config, imageConfig), hostConfig),
    };
    try {
      return await this.networks.connect(request);
    } catch (error) {
      if (!(await this.resources.settleDisconnects())) throw error;
      return this.networks.connect(request);
    }
  }

  async #launch(container: Container, plan: Plan, undo: AsyncDisposableStack): Promise<Shim> {
    const { id, config } = container.record;
    const directory = this.resources.shimDirectory(id);
    const shim = await this.shims.launch({
      containerId: id,
      directory,
      plan,
      stdio: {
        tty: config.Tty ?? false,
        openStdin: config.OpenStdin ?? false,
        stdinOnce: config.StdinOnce ?? false,
      },
      log: shimLog(this.store.directory(id), container.record),
      whilePreparing: (attach) => container.attachments.connectAll(attach),
    });
    container.shim = shim;
    undo.defer(async () => {
      container.shim = undefined;
      await shim.init.signal(sigkill).catch(() => undefined); // it may have ended by itself
      shim.disconnect();
      await this.shims.forget(directory);
    });
    return shim;
  }

  #started(container: Container, shim: Shim, startedAtNs: bigint): void {
    container.apply("start", {
      pid: shim.init.pid,
      exitCode: 0,
      oomKilled: false,
      error: "",
      startedAt: formatTimeNs(startedAtNs),
    });
    this.store.saveIfPossible(container);
    this.events.publishNetwork(container, "connect");
    this.events.publish(container, "start");
    this.exits.watch(container);
  }

  /** Docker's wording and exit code for a start that failed; `--rm` containers do not survive it. */
  #failed(container: Container, error: unknown): PlatformError {
    const failure = startFailure(fileError(error, `start container ${container.name}`));
    container.change({ endpoint: undefined, cgroupPath: undefined });
    container.changeState({ error: failure.error.message, exitCode: failure.exitCode });
    container.attachments.endAll();
    this.log.info("container.start-failed", { containerId: container.id, message: messageOf(error) });
    if (container.record.hostConfig.AutoRemove) this.remover.discard(container);
    else this.store.saveIfPossible(container);
    return failure.error;
  }
}
