import { closeSync, mkdirSync } from "node:fs";
import { invalidParameter, messageOf } from "../../errors/platform-error.ts";
import type { OciSpec } from "../../formats/oci-runtime.ts";
import { executeHostSteps, type HostStepsResult } from "../../kernel/execute-host-steps.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { readProcessFacts } from "../../kernel/process-facts.ts";
import { sendSignal } from "../../kernel/processes.ts";
import type { Plan } from "../../kernel/steps.ts";
import { connectUnix } from "../../kernel/unix-sockets.ts";
import { nameStreams } from "../criu/standard-streams.ts";
import { cgroupDirectories } from "../plan/cgroup-path.ts";
import { placeCgroup } from "../plan/cgroup-place.ts";
import { type Bundle, readBundle } from "./bundle.ts";
import {
  checkTerminal,
  notifyDirectoryOf,
  withNotifyMount,
  withServiceVariables,
} from "./caller-settings.ts";
import { requireFreeCgroups } from "./cgroup-is-free.ts";
import { chooseSystemd } from "./choose-systemd.ts";
import {
  containerDirectory,
  makeContainerDirectory,
  removeContainerDirectory,
  requireFreeId,
} from "./container-directory.ts";
import { type ContainerState, type CreateOptions, writeState } from "./container-state.ts";
import { makeExecFifo } from "./exec-fifo.ts";
import { writeFrontRecord } from "./front-record.ts";
import { withHome } from "./home-variable.ts";
import type { LaunchedProcess, ProcessLauncher } from "./launcher.ts";
import { hookState } from "./oci-state.ts";
import { writePidFile } from "./pid-file.ts";
import { planBundle } from "./plan-bundle.ts";
import { removeContainer } from "./remove-container.ts";
import { runHooksLeniently } from "./run-hooks.ts";
import { saveConfig } from "./saved-config.ts";
import { sendPidfd } from "./send-pidfd.ts";
import { UnitStarter } from "./unit-starter.ts";
import { type UsableCgroups, withUnitsOfUser, withUsableCgroups } from "./usable-cgroups.ts";

export interface CreateRequest {
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  /** `create`: the process waits for `start`; `run`: it starts at once. */
  readonly mode: "create" | "run";
  /** Nobody of ours stays with the process. */
  readonly detached: boolean;
  readonly options: CreateOptions;
  /** Whether it has to do without cgroups that it may not write to; undefined: if the caller is not the host's root. */
  readonly rootless: boolean | undefined;
  /** systemd makes the cgroups. */
  readonly systemdCgroup: boolean;
  /** XDG_RUNTIME_DIR, where the systemd of a user is found. */
  readonly runtimeDirectory: string | undefined;
  /** LISTEN_FDS of the caller. */
  readonly listenFds: number;
  readonly notifySocket: string | undefined;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  /** Takes the pty's master of a foreground process. */
  readonly ownConsole?: number;
}

export interface CreatedContainer {
  readonly directory: string;
  readonly state: ContainerState;
  readonly spec: OciSpec;
  readonly process: LaunchedProcess;
}

export interface CreateParts {
  readonly launcher: ProcessLauncher;
  readonly host: HostFacts;
  /** What does not keep the container from being made, or a poststop hook that failed while it was undone. */
  warn(message: string): void;
}

/**
 * Makes a container with its process. It is written down before it is made, so that `delete` finds what a killed runtime left.
 *
 * Errors: those of the bundle, the plan and the failing step. Nothing is left then (what cannot be removed stays as a container, with
 *         a warning), and poststop hooks have run if any other hook may have.
 * Spec:   OCI Runtime Specification, "Lifecycle", steps 1 to 5, "Create".
 */
export const createContainer = (request: CreateRequest, parts: CreateParts): Promise<CreatedContainer> =>
  makeContainer(request, parts, make);

/** The same with another way to its process: `make` finds the container written down, and undoes what it did itself. */
export async function makeContainer(
  asked: CreateRequest,
  parts: CreateParts,
  make: (making: Making) => Promise<CreatedContainer>,
): Promise<CreatedContainer> {
  requireFreeId(asked.root, asked.id);
  const bundle = readBundle(asked.bundle);
  const request = withSystemd(asked, parts);
  const { host, spec } = usableParts(request, specFor(request, bundle), parts);
  const plan = planFor(request, bundle, spec, host);
  const draft = draftState(request, bundle, spec, host);
  requireFreeCgroups(draft.cgroup);
  const { directory, lock } = makeContainerDirectory(request.root, request.id);
  try {
    writeDown(request, directory, draft, spec);
    return await make({ request, directory, draft, spec, plan, parts });
  } catch (error) {
    if (error instanceof LeftBehind) throw error.cause;
    removeContainerDirectory(directory);
    throw error;
  } finally {
    lock.release();
  }
}

/** The spec as it is kept: what depends on the caller's environment only is not in it. */
function specFor(request: CreateRequest, { spec }: Bundle): OciSpec {
  if (spec.process === undefined) throw invalidParameter("process: is missing");
  checkTerminal(spec.process, request.detached, request.consoleSocket !== undefined);
  if (request.notifySocket === undefined) return spec;
  return withNotifyMount(spec, containerDirectory(request.root, request.id));
}

function withSystemd(request: CreateRequest, parts: CreateParts): CreateRequest {
  if (!request.systemdCgroup) return request;
  const systemd = chooseSystemd(isRootless(request, parts), request.runtimeDirectory);
  return { ...request, options: { ...request.options, systemd } };
}

const isRootless = ({ rootless }: CreateRequest, { host }: CreateParts): boolean =>
  rootless ?? (process.geteuid?.() !== 0 || host.inUserNamespace);

function usableParts(request: CreateRequest, spec: OciSpec, parts: CreateParts): UsableCgroups {
  if (!isRootless(request, parts)) return { host: parts.host, spec };
  const { systemd } = request.options;
  if (systemd !== undefined) return withUnitsOfUser(parts.host, spec, request.id, systemd);
  const usable = withUsableCgroups(parts.host, spec, request.id);
  return usable.host.cgroup.version === 0 ? { ...usable, spec: withoutCgroups(spec, parts) } : usable;
}

/** There is none to mount either; what the caller's own /sys has stays visible below a bind of it. */
function withoutCgroups(spec: OciSpec, { warn }: CreateParts): OciSpec {
  warn("no cgroup is delegated to this user: the container runs outside of cgroups, without limits");
  const mounts = spec.mounts?.filter(({ type }) => type !== "cgroup" && type !== "cgroup2");
  return { ...spec, ...(mounts !== undefined && { mounts }) };
}

function planFor(request: CreateRequest, bundle: Bundle, spec: OciSpec, host: HostFacts): Plan {
  const { listenFds, notifySocket } = request;
  const settings = { listenFds, notify: notifySocket !== undefined };
  const process = withHome(withServiceVariables(spec.process ?? { cwd: "/" }, settings), bundle.rootfs);
  return planBundle(request.id, bundle.directory, { ...spec, process }, host, request.options);
}

function draftState(request: CreateRequest, bundle: Bundle, spec: OciSpec, host: HostFacts): ContainerState {
  const { path, unit } = placeCgroup(spec.linux?.cgroupsPath, request.id, request.options.systemd);
  const pid = spec.linux?.namespaces?.find(({ type }) => type === "pid");
  return {
    version: 1,
    ociVersion: spec.ociVersion,
    id: request.id,
    bundle: bundle.directory,
    rootfs: bundle.rootfs,
    created: new Date().toISOString(),
    ownerUid: process.getuid?.() ?? 0,
    annotations: spec.annotations ?? {},
    cgroup: {
      facts: host.cgroup,
      path,
      directories: cgroupDirectories(host.cgroup, path),
      ...(unit !== undefined && { unit: unit.unit }),
    },
    ownPidNamespace: pid !== undefined && pid.path === undefined,
    hooks: { poststart: spec.hooks?.poststart ?? [], poststop: spec.hooks?.poststop ?? [] },
    options: request.options,
    ...(spec.process?.terminal !== true && { streams: nameStreams() }),
    ...(request.notifySocket !== undefined && { notifySocket: request.notifySocket }),
  };
}

function writeDown(request: CreateRequest, directory: string, draft: ContainerState, spec: OciSpec): void {
  writeState(directory, draft);
  saveConfig(directory, spec);
  if (request.mode === "create") makeExecFifo(directory);
  if (request.notifySocket !== undefined) mkdirSync(notifyDirectoryOf(directory), { mode: 0o755 });
}

/** A container that is written down, and that has no process yet. */
export interface Making {
  readonly request: CreateRequest;
  readonly directory: string;
  readonly draft: ContainerState;
  readonly spec: OciSpec;
  readonly plan: Plan;
  readonly parts: CreateParts;
}

async function make(making: Making): Promise<CreatedContainer> {
  const { request, directory, draft, spec, plan, parts } = making;
  using units = new UnitStarter(parts.launcher, parts.warn);
  const cgroups: HostStepsResult = executeHostSteps(plan, (step) => units.start(step));
  let state = draft;
  try {
    const process = launch(making);
    units.release();
    state = { ...draft, init: initOf(process.pid) };
    writeState(directory, state);
    writeFrontRecord(directory, state);
    if (request.pidfdSocket !== undefined) sendPidfd(request.pidfdSocket, process.pid);
    if (request.pidFile !== undefined) writePidFile(request.pidFile, process.pid);
    return { directory, state, spec, process };
  } catch (error) {
    return await undoContainer(error, directory, state, cgroups, parts);
  }
}

function launch({ request, directory, plan, parts }: Making): LaunchedProcess {
  const socket = request.consoleSocket === undefined ? undefined : connectUnix(request.consoleSocket);
  const consoleSocket = socket ?? request.ownConsole;
  try {
    return parts.launcher.launch({
      mode: request.mode === "create" ? "create" : "exec",
      containerId: request.id,
      directory,
      plan,
      foreground: !request.detached,
      preserveFds: request.options.preserveFds,
      ...(consoleSocket !== undefined && { consoleSocket }),
    });
  } finally {
    if (socket !== undefined) closeSync(socket);
  }
}

export function initOf(pid: number): ContainerState["init"] & {} {
  // A process that has ended already is a zombie until somebody reaps it, or unknown: both count as stopped.
  return { pid, startTime: readProcessFacts(pid)?.startTime ?? 0 };
}

/** Of what failed, and could not be undone: the directory stays, so that `delete` can try again. */
class LeftBehind extends Error {}

/**
 * "…stop the container, and continue the lifecycle at step 12": undo, then poststop hooks.
 * Errors: `failure`, for which it is undone; as LeftBehind where that does not succeed.
 */
export async function undoContainer(
  failure: unknown,
  directory: string,
  state: ContainerState,
  cgroups: HostStepsResult,
  { warn }: CreateParts,
): Promise<never> {
  if (state.init !== undefined) sendSignal(state.init.pid, 9);
  const remaining = await removeContainer(directory, state).then(() => undefined, messageOf);
  cgroups.undo();
  runHooksLeniently("poststop", state.hooks.poststop, hookState(state, "stopped"), warn);
  if (remaining === undefined) throw failure;
  warn(`container ${state.id} stays: ${remaining}; \`delete --force ${state.id}\` tries again`);
  throw new LeftBehind("", { cause: failure });
}
