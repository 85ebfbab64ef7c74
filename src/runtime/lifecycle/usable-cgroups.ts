import { accessSync, constants, existsSync } from "node:fs";
import { dirname, posix } from "node:path";
import { notImplemented, unavailable } from "../../errors/platform-error.ts";
import type { OciSpec } from "../../formats/oci-runtime.ts";
import { readCgroupFile } from "../../kernel/cgroup-files.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { SystemdFacts } from "../../kernel/systemd/service-manager.ts";
import { cgroupDirectories, resolveCgroupPath } from "../plan/cgroup-path.ts";
import { placeCgroup } from "../plan/cgroup-place.ts";

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

/**
 * Those which the systemd of a user may hand out. The container's process joins its scope from where the caller is, which the kernel
 * lets a user do only within what was delegated to that systemd.
 *
 * Errors: NotImplemented on cgroup v1, Unavailable for a caller outside of the user's own units.
 */
export function withUnitsOfUser(
  host: HostFacts,
  spec: OciSpec,
  containerId: string,
  systemd: SystemdFacts,
): UsableCgroups {
  if (host.cgroup.version !== 2)
    throw notImplemented("--systemd-cgroup: the systemd of a user can make cgroups on cgroup v2 only");
  const own = ownCgroup();
  if (!`${own}/`.startsWith(`${systemd.controlGroup}/`))
    throw unavailable(
      `--systemd-cgroup: this process is in cgroup ${own}, outside of ${systemd.controlGroup} of the user's systemd, so that it may move none into a unit there`,
      { code: "systemd.outside", hint: "run it with `systemd-run --user --scope`" },
    );
  const { path } = placeCgroup(spec.linux?.cgroupsPath, containerId, systemd);
  return { host: withDelegatedControllers(host, path), spec };
}

function besideOwnCgroup({ cgroup }: HostFacts, spec: OciSpec, containerId: string): OciSpec {
  const { cgroupsPath = "" } = spec.linux ?? {};
  if (cgroup.version !== 2 || cgroupsPath.startsWith("/")) return spec;
  const path = posix.join(dirname(ownCgroup()), cgroupsPath === "" ? `gantry-${containerId}` : cgroupsPath);
  return { ...spec, linux: { ...spec.linux, cgroupsPath: path } };
}

/** On v2. */
const ownCgroup = (): string => /^0::(\/.*)$/m.exec(readCgroupFile("/proc/self/cgroup") ?? "")?.[1] ?? "/";

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
