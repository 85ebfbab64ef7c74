import { closeSync } from "node:fs";
import { conflict } from "../../errors/platform-error.ts";
import type { OciProcess, OciSpec } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { sendSignal } from "../../kernel/processes.ts";
import type { NamespaceType } from "../../kernel/steps.ts";
import { connectUnix } from "../../kernel/unix-sockets.ts";
import { planExec } from "../plan/plan-exec.ts";
import { plannedState } from "../plan/planned-state.ts";
import { checkTerminal, withServiceVariables } from "./caller-settings.ts";
import type { ContainerState } from "./container-state.ts";
import { type ContainerStatus, statusOf } from "./container-status.ts";
import { execCgroups } from "./exec-cgroups.ts";
import { withHome } from "./home-variable.ts";
import type { LaunchedProcess, ProcessLauncher } from "./launcher.ts";
import { writePidFile } from "./pid-file.ts";
import { sendPidfd } from "./send-pidfd.ts";

const sigkill = 9;

export interface ExecRequest {
  readonly directory: string;
  readonly state: ContainerState;
  /** The container's own, as it was saved. */
  readonly spec: OciSpec;
  readonly process: OciProcess;
  readonly detached: boolean;
  readonly ignorePaused: boolean;
  /** `[CONTROLLERS:]PATH` below the container's cgroup. */
  readonly cgroups: readonly string[];
  readonly preserveFds: number;
  readonly listenFds: number;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  /** Takes the pty's master of a foreground process. */
  readonly ownConsole?: number;
}

/**
 * Runs a further process in a container; its program runs when this returns.
 * Errors: Conflict in a stopped or paused container; those of the plan and the failing step.
 */
export function execProcess(
  request: ExecRequest,
  launcher: ProcessLauncher,
  host: HostFacts,
): LaunchedProcess {
  const { directory, state } = request;
  requireExecutable(statusOf(directory, state), request.ignorePaused);
  checkTerminal(request.process, request.detached, request.consoleSocket !== undefined);
  const pid = state.init?.pid ?? 0;
  const variables = { listenFds: request.listenFds, notify: false };
  const process = withHome(withServiceVariables(request.process, variables), `/proc/${pid}/root`);
  const { namespaces = [], seccomp, personality, memoryPolicy } = request.spec.linux ?? {};
  const target = {
    containerId: state.id,
    pid,
    namespaces: namespaces.map(({ type }): NamespaceType => type),
    cgroupDirectories: execCgroups(state.cgroup, request.cgroups),
    seccomp,
    personality,
    memoryPolicy,
    state: plannedState(request.spec, { containerId: state.id, bundle: state.bundle }, "running", pid),
    preserveFds: request.preserveFds,
  };
  const launched = launch(request, planExec(process, target, host), launcher);
  try {
    if (request.pidfdSocket !== undefined) sendPidfd(request.pidfdSocket, launched.pid);
    if (request.pidFile !== undefined) writePidFile(request.pidFile, launched.pid);
  } catch (error) {
    // Nobody is told of it: it must not go on behind the error.
    sendSignal(launched.pid, sigkill);
    throw error;
  }
  launched.confirmStarted();
  return launched;
}

function launch(request: ExecRequest, plan: ReturnType<typeof planExec>, launcher: ProcessLauncher) {
  const socket = request.consoleSocket === undefined ? undefined : connectUnix(request.consoleSocket);
  const consoleSocket = socket ?? request.ownConsole;
  try {
    return launcher.launch({
      mode: "exec",
      containerId: request.state.id,
      directory: "",
      plan,
      foreground: !request.detached,
      preserveFds: request.preserveFds,
      ...(consoleSocket !== undefined && { consoleSocket }),
    });
  } finally {
    if (socket !== undefined) closeSync(socket);
  }
}

function requireExecutable(status: ContainerStatus, ignorePaused: boolean): void {
  if (status === "paused" && !ignorePaused)
    throw conflict("cannot exec in a paused container (use --ignore-paused to override)");
  if (status === "stopped" || status === "creating") throw conflict(`cannot exec in a ${status} container`);
}
