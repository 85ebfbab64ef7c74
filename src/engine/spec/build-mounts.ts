import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { OciMount } from "../../formats/oci-runtime.ts";
import { defaultMounts, defaultShmSizeBytes } from "../../runtime/defaults.ts";
import type { HostConfig, MountSpec } from "./docker-config.ts";
import { sizeWord } from "./origins.ts";
import { cleanPath, parseBind, propagations } from "./parse-bind.ts";
import type { SpecInput } from "./spec-input.ts";
import { mergeTmpfsOptions, tmpfsMountOptions } from "./tmpfs-options.ts";

/** A mount with the user's words for it. */
export interface OriginatedMount {
  readonly mount: OciMount;
  readonly origin: string;
}

/** Mount options of a container, and what its root has to propagate for them. */
export interface MountSet {
  readonly mounts: readonly OriginatedMount[];
  readonly rootfsPropagation: "rprivate" | "rslave" | "shared";
}

/**
 * Builds the mounts: Docker's defaults where the user has none of his own, the files of the container's network, then his binds and
 * tmpfs, parents before children.
 *
 * Errors: InvalidParameter in Docker's wording; NotImplemented for volumes and other types.
 */
export function buildMounts(input: SpecInput): MountSet {
  const own = userMounts(input);
  const targets = new Set(own.map(({ mount }) => mount.destination));
  const defaults = systemMounts(input).filter(
    ({ mount }) =>
      !targets.has(mount.destination) && !(targets.has("/dev") && mount.destination.startsWith("/dev/")),
  );
  const network = networkMounts(input).filter(({ mount }) => !targets.has(mount.destination));
  const init = initMount(input);
  const sorted = [...network, ...own].toSorted((a, b) => depth(a.mount) - depth(b.mount));
  return {
    mounts: [...defaults, ...sorted, ...init],
    rootfsPropagation: rootfsPropagation(own),
  };
}

const depth = ({ destination }: OciMount) => destination.split("/").length;

/** These stay writable on a read-only root, as programs need them. */
const writableDefaults = new Set(["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"]);

function systemMounts({ hostConfig }: SpecInput): OriginatedMount[] {
  const { Privileged = false, ReadonlyRootfs = false } = hostConfig;
  const mounts: OriginatedMount[] = [];
  for (const mount of defaultMounts) {
    const { destination, options = [] } = mount;
    if (destination === "/dev/shm") mounts.push(...shmMount(mount, hostConfig));
    else if (options.includes("ro") && Privileged && !ReadonlyRootfs)
      mounts.push({
        mount: { ...mount, options: options.filter((option) => option !== "ro") },
        origin: "--privileged",
      });
    else if (ReadonlyRootfs && !writableDefaults.has(destination) && !options.includes("ro"))
      mounts.push({ mount: { ...mount, options: [...options, "ro"] }, origin: "--read-only" });
    else mounts.push({ mount, origin: "default" });
  }
  return mounts;
}

function shmMount(mount: OciMount, { IpcMode = "", ShmSize = 0 }: HostConfig): OriginatedMount[] {
  if (IpcMode === "none") return [];
  if (IpcMode === "host") return [hostShm];
  const size = ShmSize === 0 ? defaultShmSizeBytes : ShmSize;
  const origin = size === defaultShmSizeBytes ? "default" : `--shm-size ${sizeWord(size)}`;
  return [{ mount: { ...mount, options: [...(mount.options ?? []), `size=${size}`] }, origin }];
}

/** Message queues need no such thing: a mount of mqueue shows those of the ipc namespace it is made in. */
const hostShm: OriginatedMount = {
  mount: {
    destination: "/dev/shm",
    type: "bind",
    source: "/dev/shm",
    options: ["rbind", "nosuid", "noexec", "nodev"],
  },
  origin: "--ipc host",
};

function networkMounts({ networkFiles, hostConfig }: SpecInput): OriginatedMount[] {
  const files = [
    ["/etc/resolv.conf", networkFiles.resolvConf],
    ["/etc/hostname", networkFiles.hostname],
    ["/etc/hosts", networkFiles.hosts],
  ] as const;
  const options = ["rbind", "rprivate", ...(hostConfig.ReadonlyRootfs === true ? ["ro"] : [])];
  return files.flatMap(([destination, source]) =>
    source === undefined
      ? []
      : [{ mount: { destination, type: "bind", source, options }, origin: "container's network" }],
  );
}

export const initTarget = "/sbin/docker-init";

function initMount({ hostConfig, initPath }: SpecInput): OriginatedMount[] {
  if (hostConfig.Init !== true) return [];
  if (initPath === undefined) throw notImplemented("--init: this engine has no init program");
  const mount = { destination: initTarget, type: "bind", source: initPath, options: ["bind", "ro"] };
  return [{ mount, origin: "--init" }];
}

function userMounts(input: SpecInput): OriginatedMount[] {
  const { Binds = [], Mounts = [], Tmpfs = {} } = input.hostConfig;
  const mounts = [
    ...Binds.map((text) => bindMount(text, input)),
    ...Mounts.map((spec) => specifiedMount(spec, input)),
    ...Object.entries(Tmpfs).map(([target, options]) => tmpfsMount(target, options)),
  ];
  const seen = new Set<string>();
  for (const { mount } of mounts) {
    if (seen.has(mount.destination)) throw invalidParameter(`Duplicate mount point: ${mount.destination}`);
    seen.add(mount.destination);
  }
  return mounts;
}

function bindMount(text: string, input: SpecInput): OriginatedMount {
  const bind = parseBind(text);
  if (bind.relabel && input.host.selinux)
    throw notImplemented(`volume ${text}: SELinux labels are not supported`);
  const options = [
    "rbind",
    ...(bind.readOnly ? [readOnlyOption(input)] : []),
    bind.propagation ?? "rprivate",
  ];
  return {
    mount: { destination: bind.target, type: "bind", source: bind.source, options },
    origin: `--volume ${text}`,
  };
}

/** Since Linux 5.12 read-only holds for what is mounted below the source, too (mount_setattr). */
const readOnlyOption = ({ host }: SpecInput) => (hasRecursiveReadOnly(host) ? "rro" : "ro");
const hasRecursiveReadOnly = ({ kernel }: SpecInput["host"]) =>
  kernel.major > 5 || (kernel.major === 5 && kernel.minor >= 12);

function specifiedMount(spec: MountSpec, input: SpecInput): OriginatedMount {
  const { Type = "", Target = "" } = spec;
  const invalid = (problem: string) =>
    invalidParameter(`invalid mount config for type "${Type}": ${problem}`);
  if (Type !== "bind" && Type !== "tmpfs") {
    if (["volume", "image", "npipe", "cluster"].includes(Type))
      throw notImplemented(`mount ${Target}: mounts of type ${Type} are not supported yet`);
    throw invalidParameter(`mount type unknown: ${JSON.stringify(Type)}`);
  }
  if (Target === "") throw invalid("field Target must not be empty");
  if (!Target.startsWith("/")) throw invalid(`invalid mount path: '${Target}' mount path must be absolute`);
  if (cleanPath(Target) === "/") throw invalid("invalid specification: destination can't be '/'");
  if (spec.VolumeOptions !== undefined) throw invalid("field VolumeOptions must not be specified");
  if (spec.ImageOptions !== undefined) throw invalid("field ImageOptions must not be specified");
  return Type === "bind" ? specifiedBind(spec, input, invalid) : specifiedTmpfs(spec, invalid);
}

type Invalid = (problem: string) => Error;

function specifiedBind(spec: MountSpec, input: SpecInput, invalid: Invalid): OriginatedMount {
  const { Source = "", Target = "", ReadOnly = false, BindOptions = {} } = spec;
  if (spec.TmpfsOptions !== undefined) throw invalid("field TmpfsOptions must not be specified");
  if (Source === "") throw invalid("field Source must not be empty");
  if (!Source.startsWith("/")) throw invalid(`invalid mount path: '${Source}' mount path must be absolute`);
  const { Propagation: propagation = "rprivate", ReadOnlyNonRecursive, ReadOnlyForceRecursive } = BindOptions;
  if (!propagations.includes(propagation)) throw invalid(`invalid propagation mode: ${propagation}`);
  if (ReadOnlyForceRecursive === true && !hasRecursiveReadOnly(input.host))
    throw notImplemented(`mount ${Target}: recursive read-only mounts need Linux 5.12`);
  const readOnly = ReadOnlyNonRecursive === true ? "ro" : readOnlyOption(input);
  return {
    mount: {
      destination: cleanPath(Target),
      type: "bind",
      source: cleanPath(Source),
      options: [
        BindOptions.NonRecursive === true ? "bind" : "rbind",
        ...(ReadOnly ? [readOnly] : []),
        propagation,
      ],
    },
    origin: `--mount type=bind,source=${Source},target=${Target}${ReadOnly ? ",readonly" : ""}`,
  };
}

function specifiedTmpfs(spec: MountSpec, invalid: Invalid): OriginatedMount {
  const { Source = "", Target = "", ReadOnly = false, TmpfsOptions = {} } = spec;
  if (spec.BindOptions !== undefined) throw invalid("field BindOptions must not be specified");
  if (Source !== "") throw invalid("field Source must not be specified");
  const options = mergeTmpfsOptions(tmpfsMountOptions(TmpfsOptions, ReadOnly));
  return {
    mount: { destination: cleanPath(Target), type: "tmpfs", source: "tmpfs", options },
    origin: `--mount type=tmpfs,target=${Target}`,
  };
}

function tmpfsMount(target: string, options: string): OriginatedMount {
  if (!target.startsWith("/"))
    throw invalidParameter(`invalid mount path: '${target}' mount path must be absolute`);
  return {
    mount: {
      destination: cleanPath(target),
      type: "tmpfs",
      source: "tmpfs",
      options: mergeTmpfsOptions(options.split(",").filter(Boolean)),
    },
    origin: `--tmpfs ${target}${options === "" ? "" : `:${options}`}`,
  };
}

/** A bind that shares its mounts with the host needs a root that passes them on. */
function rootfsPropagation(mounts: readonly OriginatedMount[]): MountSet["rootfsPropagation"] {
  const has = (...words: string[]) =>
    mounts.some(({ mount }) => mount.options?.some((option) => words.includes(option)));
  if (has("shared", "rshared")) return "shared";
  return has("slave", "rslave") ? "rslave" : "rprivate";
}
