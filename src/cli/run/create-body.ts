/**
 * The body of `POST /containers/create` from the command line, as Docker's client fills it. Fields that were not
 * asked for are left out; the engine knows their defaults.
 * Spec: Docker Engine API, ContainerCreate.
 */
import { type ClientFiles, OwnProcessNeeded } from "../client-files.ts";
import { CommandError } from "../command-error.ts";
import { type Environment, readKeyValueFile, resolveEnvironment } from "../values/environment.ts";
import type { MountSpec } from "../values/mount.ts";
import { parseExpose, parsePublish } from "../values/port.ts";
import { resolveSecurityOptions } from "../values/security-opt.ts";
import { absoluteSource, parseVolume } from "../values/volume.ts";
import type { ContainerFlags } from "./container-flags.ts";

export interface CreateInput {
  readonly flags: ContainerFlags;
  readonly image: string;
  readonly command: readonly string[];
  /** Nobody stays attached. */
  readonly detached: boolean;
  /** Of the client; `-e NAME` copies from it. */
  readonly env: Environment;
  readonly files: ClientFiles;
  /** Of the client's terminal. */
  readonly consoleSize: { readonly rows: number; readonly columns: number } | undefined;
}

/** What of the container's stdio the client is attached to. */
export interface AttachedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export type CreateBody = Readonly<Record<string, unknown>>;

/** Errors: CommandError, with Docker's wording and its exit code 125. */
export function createBody(input: CreateInput): CreateBody {
  try {
    return buildBody(input);
  } catch (error) {
    if (error instanceof CommandError || error instanceof OwnProcessNeeded) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandError(message, { exitCode: 125, usageHint: true, cause: error });
  }
}

/** Without `-a`, output is attached, and input with `-i`. */
export function attachedStreams(flags: ContainerFlags, detached: boolean): AttachedStreams {
  const { attach, interactive } = flags;
  if (attach.length > 0) {
    return {
      stdin: attach.includes("stdin"),
      stdout: attach.includes("stdout"),
      stderr: attach.includes("stderr"),
    };
  }
  return { stdin: interactive && !detached, stdout: !detached, stderr: !detached };
}

function buildBody(input: CreateInput): CreateBody {
  const { flags, image, command, env, files } = input;
  const streams = attachedStreams(flags, input.detached);
  const variables = flags["env-file"].flatMap((path) => readKeyValueFile(files, path)).concat(flags.env);
  const labels = flags["label-file"].flatMap((path) => readKeyValueFile(files, path)).concat(flags.label);
  const volumes = flags.volume.map((raw) => parseVolume(files, raw));
  const anonymous = volumes.flatMap((volume) => (volume.kind === "anonymous" ? [volume.target] : []));
  const ports = flags.publish.flatMap(parsePublish);
  const exposed = ports.map(({ containerPort }) => containerPort).concat(flags.expose.flatMap(parseExpose));
  return compact({
    Image: image,
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: streams.stdin,
    AttachStdout: streams.stdout,
    AttachStderr: streams.stderr,
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    StdinOnce: flags.interactive && streams.stdin,
    Env: whenAny(resolveEnvironment(variables, env)),
    Cmd: whenAny(command),
    // An empty entry point is a request to have none.
    Entrypoint: flags.entrypoint === undefined ? undefined : [flags.entrypoint],
    WorkingDir: flags.workdir,
    Labels: keyed(labels),
    Volumes: emptyObjects(anonymous),
    ExposedPorts: emptyObjects(exposed),
    StopSignal: flags["stop-signal"],
    StopTimeout: flags["stop-timeout"],
    Healthcheck: flags["no-healthcheck"] ? { Test: ["NONE"] } : undefined,
    HostConfig: hostConfig(input),
  });
}

function hostConfig({ flags, files, consoleSize }: CreateInput): CreateBody {
  checkModes(flags);
  const { securityOpt, unconfinedPaths } = resolveSecurityOptions(files, flags["security-opt"]);
  const binds = flags.volume
    .map((raw) => parseVolume(files, raw))
    .flatMap((volume) => (volume.kind === "bind" ? [volume.bind] : []));
  return compact({
    ...resources(flags),
    NetworkMode: flags.network ?? flags.net ?? "default",
    AutoRemove: flags.rm || undefined,
    Annotations: keyed(flags.annotation),
    Binds: whenAny(binds),
    Mounts: whenAny(flags.mount.map((mount) => withAbsoluteSource(files, mount))),
    Tmpfs: keyedBy(flags.tmpfs, ":"),
    PortBindings: portBindings(flags.publish),
    PublishAllPorts: flags["publish-all"] || undefined,
    Privileged: flags.privileged || undefined,
    ReadonlyRootfs: flags["read-only"] || undefined,
    CapAdd: whenAny(flags["cap-add"].map(capability)),
    CapDrop: whenAny(flags["cap-drop"].map(capability)),
    SecurityOpt: whenAny(securityOpt),
    MaskedPaths: unconfinedPaths ? [] : undefined,
    ReadonlyPaths: unconfinedPaths ? [] : undefined,
    GroupAdd: whenAny(flags["group-add"]),
    IpcMode: flags.ipc,
    PidMode: flags.pid,
    UTSMode: flags.uts,
    CgroupnsMode: flags.cgroupns,
    UsernsMode: flags.userns,
    Init: flags.init || undefined,
    ExtraHosts: whenAny(flags["add-host"]),
    Dns: whenAny(flags.dns),
    DnsOptions: whenAny([...flags["dns-option"], ...flags["dns-opt"]]),
    DnsSearch: whenAny(flags["dns-search"]),
    LogConfig: logConfig(flags),
    Sysctls: keyed(flags.sysctl),
    ConsoleSize: flags.tty && consoleSize ? [consoleSize.rows, consoleSize.columns] : undefined,
  });
}

function resources(flags: ContainerFlags): CreateBody {
  return {
    Memory: flags.memory,
    MemoryReservation: flags["memory-reservation"],
    MemorySwap: flags["memory-swap"],
    NanoCpus: flags.cpus,
    CpuShares: flags["cpu-shares"],
    CpuPeriod: flags["cpu-period"],
    CpuQuota: flags["cpu-quota"],
    CpusetCpus: flags["cpuset-cpus"],
    CpusetMems: flags["cpuset-mems"],
    PidsLimit: flags["pids-limit"],
    ShmSize: flags["shm-size"],
    OomScoreAdj: flags["oom-score-adj"],
    MemorySwappiness: flags["memory-swappiness"],
    OomKillDisable: flags["oom-kill-disable"] || undefined,
    BlkioWeight: flags["blkio-weight"],
    BlkioWeightDevice: whenAny(flags["blkio-weight-device"]),
    BlkioDeviceReadBps: whenAny(flags["device-read-bps"]),
    BlkioDeviceReadIOps: whenAny(flags["device-read-iops"]),
    BlkioDeviceWriteBps: whenAny(flags["device-write-bps"]),
    BlkioDeviceWriteIOps: whenAny(flags["device-write-iops"]),
    CgroupParent: flags["cgroup-parent"],
    DeviceCgroupRules: whenAny(flags["device-cgroup-rule"]),
    Devices: whenAny(flags.device),
    Ulimits: whenAny([...flags.ulimit].sort((a, b) => (a.Name < b.Name ? -1 : 1))),
  };
}

function withAbsoluteSource(files: ClientFiles, mount: MountSpec): MountSpec {
  if (mount.Type !== "bind" || mount.Source === undefined) return mount;
  return { ...mount, Source: absoluteSource(files, mount.Source) };
}

/** Modes that Docker's client checks before it asks the engine. */
function checkModes({ pid, uts, cgroupns, userns }: ContainerFlags): void {
  if (pid !== undefined && pid !== "" && pid !== "host" && !/^container:.+/.test(pid)) {
    throw new Error("--pid: invalid PID mode");
  }
  if (uts !== undefined && uts !== "" && uts !== "host") throw new Error("--uts: invalid UTS mode");
  if (userns !== undefined && userns !== "" && userns !== "host")
    throw new Error("--userns: invalid USER mode");
  if (cgroupns !== undefined && !["", "host", "private"].includes(cgroupns)) {
    throw new Error("--cgroupns: invalid CGROUP mode");
  }
}

function portBindings(published: readonly string[]) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, hostIp, hostPort } of published.flatMap(parsePublish)) {
    bindings[containerPort] = [...(bindings[containerPort] ?? []), { HostIp: hostIp, HostPort: hostPort }];
  }
  return whenAnyKey(bindings);
}

function logConfig(flags: ContainerFlags) {
  const driver = flags["log-driver"];
  const options = keyed(flags["log-opt"]);
  if (driver === "none" && options !== undefined) throw new Error("invalid logging opts for driver none");
  return driver === undefined && options === undefined
    ? undefined
    : { Type: driver ?? "", Config: options ?? {} };
}

/** `net_admin` → `CAP_NET_ADMIN`; `ALL` stays. */
function capability(name: string): string {
  const upper = name.toUpperCase();
  return upper === "ALL" || upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
}

const keyed = (pairs: readonly string[]) => keyedBy(pairs, "=");

function keyedBy(pairs: readonly string[], separator: string) {
  return whenAnyKey(
    Object.fromEntries(
      pairs.map((pair) => {
        const at = pair.indexOf(separator);
        return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      }),
    ),
  );
}

const emptyObjects = (names: readonly string[]) =>
  whenAnyKey(Object.fromEntries(names.map((name) => [name, {}])));

const whenAny = <T>(items: readonly T[]) => (items.length === 0 ? undefined : items);

const whenAnyKey = <T extends object>(object: T) => (Object.keys(object).length === 0 ? undefined : object);

function compact(fields: CreateBody): CreateBody {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
