import { posix } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciDevice, OciLinux, OciSpec } from "../../formats/oci-runtime.ts";
import {
  defaultCgroupParent,
  defaultMaskedPaths,
  defaultNetworkSysctls,
  defaultReadonlyPaths,
  ociVersion,
} from "../../runtime/defaults.ts";
import { defaultSeccompProfile } from "../../runtime/seccomp/default-profile.ts";
import { resolveProfile } from "../../runtime/seccomp/resolve-profile.ts";
import { buildDevices } from "./build-devices.ts";
import { buildMounts } from "./build-mounts.ts";
import { buildNamespaces } from "./build-namespaces.ts";
import { buildProcess } from "./build-process.ts";
import { buildResources } from "./build-resources.ts";
import { OriginMap } from "./origins.ts";
import { parseSecurityOptions, type SecurityOptions } from "./security-options.ts";
import type { SpecInput } from "./spec-input.ts";

export interface BuiltSpec {
  readonly spec: OciSpec;
  /** From JSON pointers of the spec to the user's words; what it does not name is a default. */
  readonly origins: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/**
 * Builds the OCI spec of a container from what a Docker client asked for and what its image says. Pure.
 *
 * Errors: InvalidParameter in Docker's wording; NotImplemented naming what gantry does not carry out.
 * Spec:   Docker Engine API, ContainerCreate; OCI image-spec, "Conversion to OCI Runtime Configuration".
 */
export function buildSpec(input: SpecInput): BuiltSpec {
  const { config, hostConfig, imageName } = input;
  const origins = new OriginMap();
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const process = buildProcess(input, security, origins);
  const { mounts, rootfsPropagation } = buildMounts(input);
  for (const [index, { origin }] of mounts.entries()) origins.set(`/mounts/${index}`, origin);
  origins.set("/root/path", `image ${imageName}`);
  if (rootfsPropagation !== "rprivate")
    origins.set("/linux/rootfsPropagation", `a bind with propagation ${rootfsPropagation.replace(/^r/, "")}`);
  if (hostConfig.ReadonlyRootfs === true) origins.set("/root/readonly", "--read-only");
  if (security.noNewPrivileges) origins.set("/process/noNewPrivileges", "--security-opt no-new-privileges");
  const spec: OciSpec = {
    ociVersion,
    process,
    root: { path: input.rootfs, readonly: hostConfig.ReadonlyRootfs === true },
    ...buildNames(input, origins),
    mounts: mounts.map(({ mount }) => mount),
    ...(hostConfig.Annotations !== undefined && { annotations: hostConfig.Annotations }),
    linux: {
      ...buildLinux(input, security, process.capabilities?.bounding ?? [], origins),
      rootfsPropagation,
    },
  };
  return { spec, origins: origins.map, warnings: imageWarnings(config) };
}

/** What the image wishes for and the user did not ask. */
function imageWarnings({ Volumes = {}, Healthcheck }: SpecInput["config"]): string[] {
  const volumes = Object.keys(Volumes);
  const warnings =
    volumes.length > 0
      ? [
          `volumes of the image are not supported yet: ${volumes.join(", ")} ${volumes.length > 1 ? "are" : "is"} part of the container`,
        ]
      : [];
  const test = Healthcheck?.Test ?? [];
  if (test.length > 0 && test[0] !== "NONE")
    warnings.push("the health check of the image is not supported yet");
  return warnings;
}

function buildNames({ hostConfig, hostname, userConfig, config }: SpecInput, origins: OriginMap) {
  const { Domainname = "" } = config;
  if (hostConfig.UTSMode === "host") {
    if (userConfig.Hostname) throw invalidParameter("conflicting options: hostname and the UTS mode");
    return {};
  }
  origins.set(
    "/hostname",
    userConfig.Hostname ? `--hostname ${userConfig.Hostname}` : "default: the container's id",
  );
  if (Domainname !== "") origins.set("/domainname", `--domainname ${Domainname}`);
  return { hostname, ...(Domainname !== "" && { domainname: Domainname }) };
}

function buildLinux(
  input: SpecInput,
  security: SecurityOptions,
  bounding: readonly string[],
  origins: OriginMap,
): OciLinux {
  const { hostConfig, containerId } = input;
  const namespaces = buildNamespaces(input, origins);
  const parent = hostConfig.CgroupParent ?? "";
  if (parent !== "") origins.set("/linux/cgroupsPath", `--cgroup-parent ${parent}`);
  const devices = buildNodes(input, origins);
  const seccomp = buildSeccomp(input, security, bounding, origins);
  return {
    namespaces,
    cgroupsPath: posix.join("/", parent === "" ? defaultCgroupParent : parent, containerId),
    resources: buildResources(input, origins),
    ...(devices.length > 0 && { devices }),
    sysctl: buildSysctls(
      input,
      namespaces.some(({ type }) => type === "network"),
      origins,
    ),
    ...(seccomp !== undefined && { seccomp }),
    ...buildPaths(input, security, origins),
  };
}

function buildNodes(input: SpecInput, origins: OriginMap): OciDevice[] {
  return buildDevices(input).map(({ device, origin }, index) => {
    origins.set(`/linux/devices/${index}`, origin);
    return device;
  });
}

function buildSysctls({ hostConfig, host }: SpecInput, ownNetwork: boolean, origins: OriginMap) {
  const { Sysctls = {} } = hostConfig;
  const sysctls: Record<string, string> = {};
  if (ownNetwork)
    for (const [key, value] of Object.entries(defaultNetworkSysctls))
      if (host.networkSysctls.includes(key)) sysctls[key] = value;
  for (const [key, value] of Object.entries(Sysctls)) {
    origins.set(`/linux/sysctl/${key.replaceAll("/", "~1")}`, `--sysctl ${key}=${value}`);
    sysctls[key] = value;
  }
  return sysctls;
}

function buildSeccomp(
  { hostConfig, host }: SpecInput,
  { seccomp }: SecurityOptions,
  bounding: readonly string[],
  origins: OriginMap,
) {
  if (seccomp === "unconfined" || host.seccompActions.length === 0) return undefined;
  if (seccomp === undefined) {
    if (hostConfig.Privileged === true) return undefined;
    origins.set("/linux/seccomp", "default profile");
    return resolveProfile(defaultSeccompProfile, bounding, host);
  }
  origins.set("/linux/seccomp", "--security-opt seccomp=PROFILE");
  return resolveProfile(seccomp, bounding, host);
}

function buildPaths(
  { hostConfig, host }: SpecInput,
  { unconfinedPaths }: SecurityOptions,
  origins: OriginMap,
) {
  const { Privileged = false, MaskedPaths, ReadonlyPaths } = hostConfig;
  if (MaskedPaths !== undefined) origins.set("/linux/maskedPaths", "MaskedPaths");
  if (ReadonlyPaths !== undefined) origins.set("/linux/readonlyPaths", "ReadonlyPaths");
  if (Privileged || unconfinedPaths) return { maskedPaths: [], readonlyPaths: [] };
  return {
    maskedPaths: MaskedPaths ?? [...defaultMaskedPaths, ...host.thermalThrottlePaths],
    readonlyPaths: ReadonlyPaths ?? defaultReadonlyPaths,
  };
}
