import { accessSync, constants, existsSync } from "node:fs";
import { dirname, posix } from "node:path";
import type { OciSpec } from "../../formats/oci-runtime.ts";
import { readCgroupFile } from "../../kernel/cgroup-files.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { cgroupDirectories, resolveCgroupPath } from "../plan/cgroup-path.ts";

/** The host and the spec as an unprivileged caller may use them. */
export interface UsableCgroups {
  readonly host: HostFacts;
  readonly spec: OciSpec;
}

/**
 * Where no cgroup is delegated to the caller, the host has none: a container without limits runs outside of them, and one with
 * limits is refused by the planner. Delegated ones are those of cgroup v2 which it may write to: a path that is not absolute
 * is taken to be beside its own cgroup, where systemd lets a user's session make others.
 */
export function withUsableCgroups(host: HostFacts, spec: OciSpec, containerId: string): UsableCgroups {
  const placed = besideOwnCgroup(host, spec, containerId);
  const path = resolveCgroupPath(placed.linux?.cgroupsPath, containerId);
  if (!cgroupDirectories(host.cgroup, path).every(canMake))
    return { host: { ...host, cgroup: { version: 0 } }, spec };
  return { host: withDelegatedControllers(host, path), spec: placed };
}

function besideOwnCgroup({ cgroup }: HostFacts, spec: OciSpec, containerId: string): OciSpec {
  const { cgroupsPath = "" } = spec.linux ?? {};
  if (cgroup.version !== 2 || cgroupsPath.startsWith("/")) return spec;
  const own = /^0::(\/.*)$/m.exec(readCgroupFile("/proc/self/cgroup") ?? "")?.[1] ?? "/";
  const path = posix.join(dirname(own), cgroupsPath === "" ? `gantry-${containerId}` : cgroupsPath);
  return { ...spec, linux: { ...spec.linux, cgroupsPath: path } };
}

/** Only what the directory above has can be given on; what the machine has besides is not the caller's to enable. */
function withDelegatedControllers(host: HostFacts, path: string): HostFacts {
  const { cgroup } = host;
  if (cgroup.version !== 2) return host;
  const parent = nearestExisting(dirname(cgroup.mountPoint + path));
  const controllers = (readCgroupFile(`${parent}/cgroup.controllers`) ?? "").split(" ").filter(Boolean);
  return { ...host, cgroup: { ...cgroup, controllers } };
}

function nearestExisting(directory: string): string {
  let parent = directory;
  while (!existsSync(parent) && parent !== "/") parent = dirname(parent);
  return parent;
}

/** Whether the nearest directory above that exists may be written to, and processes be moved within it. */
function canMake(directory: string): boolean {
  const parent = nearestExisting(dirname(directory));
  try {
    accessSync(parent, constants.W_OK);
    accessSync(`${parent}/cgroup.procs`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
