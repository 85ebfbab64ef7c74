import { closeSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { systemError } from "../../errors/platform-error.ts";
import { writeCgroupFile } from "../../kernel/cgroup-files.ts";
import { type FdMapping, reapNow } from "../../kernel/child-processes.ts";
import { executeHostSteps } from "../../kernel/execute-host-steps.ts";
import { makeRootReadOnly } from "../../kernel/mount-namespaces.ts";
import { openPidfd } from "../../kernel/processes.ts";
import type { Plan } from "../../kernel/steps.ts";
import { connectUnix, sendDescriptors } from "../../kernel/unix-sockets.ts";
import { CriuDirectories } from "../criu/criu-directories.ts";
import type { CriuNotification, CriuOptions, CriuPair } from "../criu/criu-messages.ts";
import { type CriuSettings, commonOptions } from "../criu/criu-settings.ts";
import { CriuWorker, FIRST_CRIU_FD } from "../criu/criu-worker.ts";
import { externalMounts, mountPointsOnRoot } from "../criu/external-mounts.ts";
import { joinedNamespaces } from "../criu/external-namespaces.ts";
import { PathsInRoot } from "../criu/paths-in-root.ts";
import { type Criu, requireCriu } from "../criu/require-criu.ts";
import { mountRestoreRoot, removeRestoreRoot } from "../criu/restore-root.ts";
import { inheritedStreams, readStreams } from "../criu/standard-streams.ts";
import { plannedState } from "../plan/planned-state.ts";
import { type ContainerState, writeState } from "./container-state.ts";
import {
  type CreatedContainer,
  type CreateParts,
  type CreateRequest,
  initOf,
  type Making,
  makeContainer,
  undoContainer,
} from "./create-container.ts";
import { writeFrontRecord } from "./front-record.ts";
import type { LaunchedProcess } from "./launcher.ts";
import { writePidFile } from "./pid-file.ts";
import { runHooks } from "./run-hooks.ts";
import { UnitStarter } from "./unit-starter.ts";

export interface RestoreRequest extends CriuSettings {
  readonly create: CreateRequest;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of criu, or its name in PATH. */
  readonly criu: string;
  readonly lsmProfile: string | undefined;
  readonly lsmMountContext: string | undefined;
}

const logName = "restore.log";

/**
 * Brings a container back from the files of `checkpoint`, with its bundle: cgroups, limits, binds and the root are of the bundle,
 * processes and their memory of the files. Prestart and createRuntime hooks run, as with runc. Its first process is a child of
 * this one, and runs when this returns.
 *
 * Errors: as `createContainer`; NotImplemented where criu is missing or cannot work; System with criu's reason and its log.
 *         Nothing is left then.
 */
export async function restoreContainer(
  request: RestoreRequest,
  parts: CreateParts,
): Promise<CreatedContainer> {
  const criu = requireCriu(request.criu, request.env, request.lazyPages ? ["lazyPages"] : []);
  using directories = CriuDirectories.open(request, "restore");
  return makeContainer(request.create, parts, (making) =>
    new Restoring(request, criu, directories, making).run(),
  );
}

/** One container on its way back. */
class Restoring {
  private state: ContainerState;
  /** Descriptors for criu, from the first free number on: the standard streams, then those of namespaces. */
  private readonly passed: number[] = [0, 1, 2];

  constructor(
    private readonly request: RestoreRequest,
    private readonly criu: Criu,
    private readonly directories: CriuDirectories,
    private readonly making: Making,
  ) {
    this.state = making.draft;
  }

  async run(): Promise<CreatedContainer> {
    const { directory, draft, spec, plan, parts } = this.making;
    const streams = readStreams(this.directories.images);
    using units = new UnitStarter(parts.launcher, parts.warn);
    const cgroups = executeHostSteps(plan, (step) => units.start(step));
    try {
      const root = mountRestoreRoot(directory, draft.rootfs);
      const pid = this.restore(this.options(root, streams));
      removeRestoreRoot(directory);
      this.warnOfLostProtection(pid);
      writeFrontRecord(directory, this.state);
      if (this.making.request.pidFile !== undefined) writePidFile(this.making.request.pidFile, pid);
      return { directory, state: this.state, spec, process: restoredProcess(pid) };
    } catch (error) {
      return await undoContainer(error, directory, this.state, cgroups, parts);
    } finally {
      for (const fd of this.passed.slice(3)) closeSync(fd);
    }
  }

  /** Out: the pid of the first process. */
  private restore(options: CriuOptions): number {
    const worker = CriuWorker.spawn(this.criu.program, this.criu.env, [
      [0, 0],
      [this.directories.output, 1],
      [this.directories.output, 2],
      ...this.passed.map((fd, index): FdMapping => [fd, FIRST_CRIU_FD + index]),
    ]);
    try {
      const cgroupRoots = joinCgroups(worker.pid, this.making.plan);
      const response = worker.request("restore", { ...options, cgroupRoots }, (notification, fds) =>
        this.notified(notification, fds),
      );
      const failure = this.directories.failureOf("restore", response);
      if (failure !== undefined) throw failure;
      return response?.pid ?? 0;
    } finally {
      worker.end();
    }
  }

  private options(root: string, streams: readonly string[]): CriuOptions {
    const { request, making } = this;
    const joined = joinedNamespaces(making.spec);
    return {
      ...commonOptions(request),
      imagesDirFd: this.directories.imagesFd,
      workDirFd: this.directories.workFd,
      logFile: logName,
      root,
      rstSibling: true,
      evasiveDevices: true,
      notifyScripts: true,
      externalMounts: restoredMounts(root, making.plan),
      inheritFds: [
        ...inheritedStreams(streams).map(({ key, fd }) => ({ key, fd: FIRST_CRIU_FD + fd })),
        ...joined.flatMap(({ key, path }) => (key === undefined ? [] : [{ key, fd: this.pass(path) }])),
      ],
      joinNamespaces: joined.flatMap(({ type, key, path }) =>
        key === undefined ? [{ key: type, value: path }] : [],
      ),
      ...(request.lsmProfile !== undefined && { lsmProfile: request.lsmProfile }),
      ...(request.lsmMountContext !== undefined && { lsmMountContext: request.lsmMountContext }),
    };
  }

  /** Out: the number of the descriptor in criu. */
  private pass(path: string): number {
    return FIRST_CRIU_FD - 1 + this.passed.push(openSync(path, "r"));
  }

  private notified({ script, pid }: CriuNotification, fds: readonly number[]): void {
    try {
      if (script === "setup-namespaces") this.runHooks(pid);
      if (script === "orphan-pts-master") this.sendConsole(fds);
      // It does not run before this is answered, and so never without a trace.
      if (script === "post-restore") {
        this.protectRoot(pid);
        this.writeDown(pid);
      }
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  }

  private runHooks(pid: number): void {
    const { spec, draft } = this.making;
    const options = { containerId: draft.id, bundle: draft.bundle };
    const json = JSON.stringify(plannedState(spec, options, "creating", pid));
    for (const kind of ["prestart", "createRuntime"] as const)
      runHooks(kind, spec.hooks?.[kind] ?? [], { bundle: draft.bundle, json });
  }

  private sendConsole(fds: readonly number[]): void {
    const { consoleSocket, ownConsole } = this.making.request;
    if (fds.length === 0) throw systemError("criu gave no terminal");
    if (consoleSocket === undefined && ownConsole === undefined)
      throw systemError("the container has a terminal, and nobody takes it");
    const socket = consoleSocket === undefined ? (ownConsole ?? -1) : connectUnix(consoleSocket);
    try {
      sendDescriptors(socket, Buffer.from("orphan-pts-master"), fds);
    } finally {
      if (consoleSocket !== undefined) closeSync(socket);
    }
  }

  /** criu leaves the root writable: it has to make a directory there. */
  private protectRoot(pid: number): void {
    const readOnly = this.making.plan.steps.some(({ op }) => op === "make-root-readonly");
    if (readOnly) makeRootReadOnly(pid);
  }

  /** Some versions of criu forget the flag, and nobody can set it for another process. */
  private warnOfLostProtection(pid: number): void {
    const { spec, parts } = this.making;
    if (spec.process?.noNewPrivileges !== true) return;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    if (/^NoNewPrivs:\s*0$/m.test(status))
      parts.warn(
        "process.noNewPrivileges: criu did not restore it; set-user-id programs work in this container",
      );
  }

  private writeDown(pid: number): void {
    this.state = { ...this.making.draft, init: initOf(pid) };
    writeState(this.making.directory, this.state);
  }
}

/** What is made of the restored processes stays in the cgroups of criu, which are the container's. */
function joinCgroups(pid: number, plan: Plan): CriuPair[] {
  for (const step of plan.steps)
    if (step.op === "join-cgroup") writeCgroupFile(`${dirname(step.file)}/cgroup.procs`, String(pid));
  return readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (controllers === undefined || path === undefined) return [];
      return controllers.split(",").map((key) => ({ key, value: path }));
    });
}

/** Makes the places for them, too, which the root may have lost, and names them as `checkpoint` did. */
function restoredMounts(root: string, plan: Plan): CriuPair[] {
  using paths = new PathsInRoot(root);
  for (const point of mountPointsOnRoot(plan)) paths.make(point);
  const pairs = externalMounts(plan, () => true).map(({ target, source }) => ({
    key: source === "/dev/null" ? source : paths.resolve(target),
    value: source,
  }));
  return [...new Map(pairs.map((pair) => [pair.key, pair])).values()];
}

function restoredProcess(pid: number): LaunchedProcess {
  const helperPidfd = openPidfd(pid);
  return {
    pid,
    helperPidfd,
    confirmStarted: () => {},
    exitCode: () => {
      const status = reapNow(pid);
      closeSync(helperPidfd);
      return status.kind === "exited" ? status.exitCode : 128 + status.signal;
    },
  };
}
