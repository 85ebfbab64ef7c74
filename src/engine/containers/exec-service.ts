import { randomBytes } from "node:crypto";
import { conflict, invalidParameter, notFound } from "../../errors/platform-error.ts";
import type { ShimProcess } from "../../shim/contract.ts";
import { diagnoseStart } from "../../shim/diagnose-start.ts";
import type { ExecConfig } from "../spec/docker-config.ts";
import type { ClientStream } from "./client-stream.ts";
import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { type ExecInstance, isExecRunning } from "./exec-instance.ts";
import type { ExecPlanner } from "./exec-planner.ts";
import { joinStreams } from "./join-streams.ts";
import { asNotRunning } from "./process-ended.ts";
import { execFailure } from "./start-failure.ts";

/** An ended exec stays known for so long, so that its exit code can be asked for. */
const keptAfterExitMs = 5 * 60 * 1000;

export interface ExecStart {
  readonly consoleSize: readonly [rows: number, columns: number] | undefined;
}

/** Further processes in running containers. */
export class ExecService {
  readonly #byId = new Map<string, { exec: ExecInstance; container: Container }>();

  constructor(
    private readonly planner: ExecPlanner,
    private readonly events: ContainerEvents,
  ) {}

  /** Errors: Conflict when the container is not running; InvalidParameter without a command. */
  create(container: Container, config: ExecConfig): ExecInstance {
    if (!config.Cmd || config.Cmd.length === 0) throw invalidParameter("No exec command specified");
    this.#checkRunning(container);
    parseDetachKeys(config.DetachKeys);
    const exec: ExecInstance = {
      id: randomBytes(32).toString("hex"),
      containerId: container.id,
      config,
      started: false,
      process: undefined,
      exitCode: undefined,
    };
    this.#byId.set(exec.id, { exec, container });
    container.execs.set(exec.id, exec);
    this.events.publish(container, `exec_create: ${config.Cmd.join(" ")}`, { execID: exec.id });
    return exec;
  }

  get(id: string): ExecInstance {
    return this.#entry(id).exec;
  }

  /** Refuses a second start; asked before a connection is taken over. From here on it counts as started. */
  claim(id: string): ExecInstance {
    const { exec, container } = this.#entry(id);
    if (exec.started) {
      const what = isExecRunning(exec) ? "is already running" : "has already run";
      throw conflict(`exec command ${id} ${what}`);
    }
    this.#checkRunning(container);
    exec.started = true;
    return exec;
  }

  /**
   * Starts a claimed exec, with `client` as its stdio (undefined: detached). Settles once it runs.
   * Errors: the failure in Docker's wording; the exec's exit code is then 126 or 127.
   */
  async start(exec: ExecInstance, start: ExecStart, client: ClientStream | undefined): Promise<void> {
    const { container } = this.#entry(exec.id);
    try {
      const shim = container.liveShim();
      const ConsoleSize = start.consoleSize ?? exec.config.ConsoleSize;
      const sized = ConsoleSize === undefined ? {} : { ConsoleSize };
      const plan = this.planner.plan(container, { ...exec.config, ...sized });
      const { Tty: tty = false, AttachStdin: openStdin = false } = exec.config;
      const process = await shim.exec({
        execId: exec.id,
        plan,
        stdio: { tty, openStdin: openStdin && client !== undefined, stdinOnce: true },
      });
      // Resolved only by an exit: the caller writes the reason of a failed start to the client itself.
      const ended = Promise.withResolvers<void>();
      if (client) await this.#connect(exec, container, process, client, ended.promise);
      await process.start().catch((error: unknown) => {
        throw diagnoseStart(error, plan, this.planner.rootDirectory(container));
      });
      exec.process = process;
      this.events.publish(container, `exec_start: ${commandText(exec)}`, { execID: exec.id });
      void process.exited.then(({ exitCode }) => {
        this.#ended(exec, container, exitCode);
        ended.resolve();
      });
    } catch (error) {
      const failure = execFailure(asNotRunning(error, container.id));
      exec.exitCode = failure.exitCode;
      this.#forgetLater(exec);
      throw failure.error;
    }
  }

  /** Errors: Conflict when it does not run. */
  async resize(id: string, rows: number, columns: number): Promise<void> {
    const { exec } = this.#entry(id);
    if (!exec.process || !isExecRunning(exec)) throw conflict(`exec ${id} is not running`);
    await exec.process.resize(rows, columns);
  }

  /** Forgets the execs of a container that is gone. */
  forgetContainer(container: Container): void {
    for (const id of container.execs.keys()) this.#byId.delete(id);
    container.execs.clear();
  }

  #entry(id: string): { exec: ExecInstance; container: Container } {
    const found = this.#byId.get(id);
    if (!found) throw notFound(`No such exec instance: ${id}`);
    return found;
  }

  #checkRunning(container: Container): void {
    if (container.status === "paused") {
      throw conflict(`container ${container.id} is paused, unpause the container before exec`);
    }
    container.liveShim();
  }

  async #connect(
    exec: ExecInstance,
    container: Container,
    process: ShimProcess,
    client: ClientStream,
    ended: Promise<void>,
  ): Promise<void> {
    const { Tty: tty = false, AttachStdin: stdin = false } = exec.config;
    const stream = await process.attach({
      stdin,
      stdout: exec.config.AttachStdout ?? true,
      stderr: exec.config.AttachStderr ?? true,
      framed: !tty,
    });
    joinStreams(client, stream, {
      stdin,
      detachKeys: tty ? parseDetachKeys(exec.config.DetachKeys) : undefined,
      onDetach: () => this.events.publish(container, "exec_detach", { execID: exec.id }),
      beforeEnd: ended,
    });
  }

  #ended(exec: ExecInstance, container: Container, exitCode: number): void {
    exec.exitCode = exitCode;
    this.events.publish(container, "exec_die", { execID: exec.id, exitCode: String(exitCode) });
    this.#forgetLater(exec);
  }

  #forgetLater(exec: ExecInstance): void {
    setTimeout(() => {
      this.#byId.get(exec.id)?.container.execs.delete(exec.id);
      this.#byId.delete(exec.id);
    }, keptAfterExitMs).unref();
  }
}

const commandText = (exec: ExecInstance): string => (exec.config.Cmd ?? []).join(" ");
