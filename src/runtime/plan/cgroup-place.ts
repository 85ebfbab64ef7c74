import type { SystemdFacts } from "../../kernel/systemd/service-manager.ts";
import { placeUnit, type UnitPlace } from "../systemd/unit-place.ts";
import { resolveCgroupPath } from "./cgroup-path.ts";

/** Where a container's cgroup is, and who makes it. */
export interface CgroupPlace {
  /** Below each cgroup mount: begins with a slash, never leaves the mount. */
  readonly path: string;
  /** The unit of systemd that it belongs to; without one, it is made here. */
  readonly unit?: UnitPlace;
}

/**
 * The cgroup driver: with `systemd` it is that of the service manager, without it the cgroup file system. Pure.
 * Errors: as `placeUnit` and `resolveCgroupPath`.
 */
export function placeCgroup(
  cgroupsPath: string | undefined,
  containerId: string,
  systemd: SystemdFacts | undefined,
): CgroupPlace {
  if (systemd === undefined) return { path: resolveCgroupPath(cgroupsPath, containerId) };
  const unit = placeUnit(cgroupsPath, containerId, systemd);
  return { path: unit.path, unit };
}
