import { statSync } from "node:fs";
import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import type { OciSpec } from "../../formats/oci-runtime.ts";
import { controllerDirectory } from "../../kernel/cgroupfs.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { CriuDirectories } from "../criu/criu-directories.ts";
import type { CriuOptions } from "../criu/criu-messages.ts";
import { type CriuSettings, commonOptions } from "../criu/criu-settings.ts";
import { CriuWorker } from "../criu/criu-worker.ts";
import { externalMounts } from "../criu/external-mounts.ts";
import { joinedNamespaces } from "../criu/external-namespaces.ts";
import { PathsInRoot } from "../criu/paths-in-root.ts";
import { type CriuFeature, requireCriu } from "../criu/require-criu.ts";
import { externalFiles, saveStreams } from "../criu/standard-streams.ts";
import { containerDirectory } from "./container-directory.ts";
import { type ContainerState, readState } from "./container-state.ts";
import { statusOf } from "./container-status.ts";
import { deleteContainer } from "./delete-container.ts";
import { planBundle } from "./plan-bundle.ts";
import { readSavedConfig } from "./saved-config.ts";

export interface CheckpointRequest extends CriuSettings {
  readonly root: string;
  readonly id: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of criu, or its name in PATH. */
  readonly criu: string;
  /** Images of an earlier `preDump`, relative to these: only memory that changed since is saved. */
  readonly parentPath: string | undefined;
  readonly leaveRunning: boolean;
  readonly tcpSkipInFlight: boolean;
  readonly linkRemap: boolean;
  readonly pageServer: { readonly address: string; readonly port: number } | undefined;
  /** Descriptor of this process that gets one byte once memory may be asked for (`lazyPages`). */
  readonly statusFd: number | undefined;
  /** Saves memory only, and lets the container run. */
  readonly preDump: boolean;
}

export interface CheckpointParts {
  readonly host: HostFacts;
  warn(message: string): void;
}

const logName = "dump.log";

/**
 * Saves a running container into files. It is removed then, as runc does it, unless it shall go on.
 *
 * Errors: NotFound; Conflict unless it runs; NotImplemented where criu is missing or cannot work; System with criu's reason and
 *         its log, after which the container runs on.
 */
export async function checkpointContainer(request: CheckpointRequest, parts: CheckpointParts): Promise<void> {
  const directory = containerDirectory(request.root, request.id);
  const state = readState(directory);
  const status = statusOf(directory, state);
  if (status !== "running" && status !== "paused")
    throw conflict(`container cannot be checkpointed in the ${status} state`);
  const criu = requireCriu(request.criu, request.env, neededFeatures(request));
  using directories = CriuDirectories.open(request, "dump");
  const pid = state.init?.pid ?? 0;
  const options = {
    ...dumpOptions(request, state, directories),
    ...(!request.preDump && ownResources(directory, state, pid, parts.host, directories)),
  };
  const worker = CriuWorker.spawn(criu.program, criu.env, [
    [0, 0],
    [directories.output, 1],
    [directories.output, 2],
  ]);
  const response = worker.request(request.preDump ? "preDump" : "dump", options, () => {});
  worker.end();
  const failure = directories.failureOf("checkpoint", response);
  if (failure !== undefined) throw failure;
  if (request.leaveRunning || request.preDump) return;
  await deleteContainer(request.root, request.id, { force: true, warn: parts.warn });
}

function neededFeatures({ preDump, parentPath, lazyPages }: CheckpointRequest): CriuFeature[] {
  const tracking = preDump || parentPath !== undefined;
  return [...(tracking ? (["memoryTracking"] as const) : []), ...(lazyPages ? (["lazyPages"] as const) : [])];
}

function dumpOptions(
  request: CheckpointRequest,
  state: ContainerState,
  directories: CriuDirectories,
): CriuOptions {
  const { parentPath, statusFd, pageServer, preDump } = request;
  const freezer = controllerDirectory(state.cgroup.facts, "freezer", state.cgroup.path);
  return {
    ...commonOptions(request),
    imagesDirFd: directories.imagesFd,
    workDirFd: directories.workFd,
    logFile: logName,
    pid: state.init?.pid ?? 0,
    root: state.rootfs,
    leaveRunning: request.leaveRunning || preDump,
    tcpSkipInFlight: request.tcpSkipInFlight,
    linkRemap: request.linkRemap,
    ...((preDump || parentPath !== undefined) && { trackMem: true }),
    ...(parentPath !== undefined && { parentImg: parentPath }),
    ...(freezer !== undefined && { freezeCgroup: freezer }),
    ...(pageServer !== undefined && { pageServer }),
    ...(statusFd !== undefined && { statusFd }),
  };
}

/** What the container has of the host's. */
function ownResources(
  directory: string,
  state: ContainerState,
  pid: number,
  host: HostFacts,
  directories: CriuDirectories,
): Partial<CriuOptions> {
  const spec: OciSpec = readSavedConfig(directory);
  const plan = planBundle(state.id, state.bundle, spec, host, state.options);
  const root = `/proc/${pid}/root`;
  using paths = new PathsInRoot(root);
  const isFile = (path: string) => statSync(root + path, { throwIfNoEntry: false })?.isDirectory() === false;
  const { streams = [] } = state;
  saveStreams(directories.images, streams);
  return {
    external: [
      ...externalFiles(streams),
      ...joinedNamespaces(spec).flatMap(({ type, path, key }) =>
        key === undefined ? [] : [`${type}[${statSync(path).ino}]:${key}`],
      ),
    ],
    externalMounts: externalMounts(plan, isFile).map(({ target, source }) => {
      const key = paths.resolve(target);
      return { key, value: source === "/dev/null" ? source : key };
    }),
  };
}

/** `--page-server HOST:PORT`. Errors: InvalidParameter. */
export function parsePageServer(text: string): { address: string; port: number } {
  const [, address = "", port = ""] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (address === "" || Number(port) < 1 || Number(port) > 65_535)
    throw invalidParameter(`--page-server: ${JSON.stringify(text)} is not ADDRESS:PORT`);
  return { address, port: Number(port) };
}
