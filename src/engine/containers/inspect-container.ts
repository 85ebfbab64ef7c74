import { join } from "node:path";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import { commandWords } from "./command-words.ts";
import type { Container } from "./container.ts";
import type { ContainerSizes } from "./container-summary.ts";
import { isExecRunning } from "./exec-instance.ts";
import { completeHostConfig } from "./host-config-defaults.ts";
import { hostnameOf } from "./hostname.ts";
import { logPath } from "./log-config.ts";
import { networkSettings } from "./network-settings.ts";
import type { ContainerStatus } from "./state-machine.ts";

export interface InspectSources {
  /** `containers/<id>`. */
  readonly directory: string;
  readonly snapshots: Snapshotter;
  readonly sizes: ContainerSizes | undefined;
}

/** The answer of `inspect`. engine-api.yaml, ContainerInspectResponse. */
export function inspectContainer(container: Container, sources: InspectSources): object {
  const { record } = container;
  const config = mergeImageConfig(record.config, record.imageConfig);
  const [path = "", ...args] = commandWords(config);
  const running = [...container.execs.values()].filter(isExecRunning).map((exec) => exec.id);
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: path,
    Args: args,
    State: stateOf(container),
    Image: record.imageId,
    ResolvConfPath: join(sources.directory, "resolv.conf"),
    HostnamePath: join(sources.directory, "hostname"),
    HostsPath: join(sources.directory, "hosts"),
    LogPath: logPath(sources.directory, record) ?? "",
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: sources.snapshots.name,
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: running.length > 0 ? running : null,
    HostConfig: completeHostConfig(record.hostConfig),
    GraphDriver: graphDriver(container, sources.snapshots),
    ...(sources.sizes ?? {}),
    Mounts: record.mounts,
    Config: completeConfig(container),
    NetworkSettings: networkSettings(container),
  };
}

/** engine-api.yaml, ContainerState. */
function stateOf(container: Container): object {
  const { state } = container.record;
  const is = (status: ContainerStatus): boolean => state.status === status;
  return {
    Status: state.status,
    Running: is("running") || is("paused"),
    Paused: is("paused"),
    Restarting: false,
    OOMKilled: state.oomKilled,
    Dead: false,
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
  };
}

/** Docker's own spelling of the four directories. engine-api.yaml, DriverData. */
function graphDriver(container: Container, snapshots: Snapshotter): object {
  const { lower, upper, merged, work, form } = snapshots.describe(container.id);
  if (form === "copy") return { Data: null, Name: snapshots.name };
  return {
    Data: {
      ID: container.id,
      LowerDir: lower.join(":"),
      MergedDir: merged,
      UpperDir: upper,
      WorkDir: work,
    },
    Name: snapshots.name,
  };
}

/** With the zero values that Docker always shows. */
function completeConfig(container: Container): object {
  const { config, imageConfig } = container.record;
  const { ExposedPorts, ...effective } = mergeImageConfig(config, imageConfig);
  return {
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    OnBuild: null,
    ...effective,
    Hostname: hostnameOf(container.record),
    Domainname: effective.Domainname ?? "",
    User: effective.User ?? "",
    WorkingDir: effective.WorkingDir ?? "",
    ...(isEmpty(ExposedPorts) ? {} : { ExposedPorts }),
    Env: effective.Env ?? [],
    Cmd: nullIfEmpty(effective.Cmd),
    Entrypoint: nullIfEmpty(effective.Entrypoint),
    Volumes: isEmpty(effective.Volumes) ? null : effective.Volumes,
    Labels: effective.Labels ?? {},
  };
}

const isEmpty = (value: object | undefined): boolean =>
  value === undefined || Object.keys(value).length === 0;
const nullIfEmpty = (words: readonly string[] | undefined) => (isEmpty(words) ? null : words);
