import { posix } from "node:path";
import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";

/**
 * A container's directory below each cgroup mount: begins with a slash, never leaves the mount.
 *
 * `cgroupsPath` absolute is below the mount; relative ones, and none, are below `/gantry`.
 * Errors: NotImplemented for the form of the systemd driver (`slice:prefix:name`).
 */
export function resolveCgroupPath(cgroupsPath: string | undefined, containerId: string): string {
  if (cgroupsPath === undefined || cgroupsPath === "") return `/gantry/${containerId}`;
  if (/^[^/]*:[^:]*:[^:]+$/.test(cgroupsPath))
    throw notImplemented(
      `linux.cgroupsPath: ${cgroupsPath} is for systemd, which is not to make this container's cgroup`,
      {
        hint: "give --systemd-cgroup, or configure the caller for the cgroup driver cgroupfs",
      },
    );
  const path = posix.normalize(cgroupsPath.startsWith("/") ? cgroupsPath : `/gantry/${cgroupsPath}`);
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "")
    throw invalidParameter("linux.cgroupsPath: the root cgroup cannot be a container's own");
  return trimmed;
}

/** The container's own directories: one for each v1 hierarchy (and the unified one beside them), or the one of v2. */
export function cgroupDirectories(cgroup: CgroupFacts, cgroupPath: string): string[] {
  if (cgroup.version === 0) return [];
  if (cgroup.version === 2) return [cgroup.mountPoint + cgroupPath];
  const mounts = cgroup.hierarchies.map(({ mountPoint }) => mountPoint);
  if (cgroup.unified !== undefined) mounts.push(cgroup.unified);
  return mounts.map((mountPoint) => mountPoint + cgroupPath);
}

/** `/a/b/c` → `/a`, `/a/b`, `/a/b/c`. */
export function pathAndParents(path: string): string[] {
  const parts = path.split("/").slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

/**
 * The file by which a new process, which has one thread, writes itself into its cgroup. On v1 that is `tasks`: a thread
 * that moves itself holds no lock of all processes, for which `cgroup.procs` waits a whole RCU grace period (10-30 ms).
 */
export function joinFile(cgroup: CgroupFacts, directory: string): string {
  const isUnified =
    cgroup.version !== 1 || (cgroup.unified !== undefined && directory.startsWith(`${cgroup.unified}/`));
  return `${directory}/${isUnified ? "cgroup.procs" : "tasks"}`;
}
