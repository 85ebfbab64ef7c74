import type { Change } from "../../core/snapshots/list-changes.ts";

/** Where the engine mounts its own files; a missing one is made in the container's top, as something to mount on. */
const mountPoints = ["/dev", "/proc", "/sys", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/** What the container itself changed: without the engine's mount points, and the folders changed only by them. */
export function containerChanges(changes: readonly Change[]): Change[] {
  const isMountPoint = ({ path, kind }: Change): boolean => kind === "added" && mountPoints.includes(path);
  const own = changes.filter((change) => !isMountPoint(change));
  const emptied = changes
    .filter(isMountPoint)
    .map(({ path }) => path.slice(0, path.lastIndexOf("/")))
    .filter((folder) => !own.some(({ path }) => path.startsWith(`${folder}/`)));
  return own.filter(({ path, kind }) => kind === "deleted" || !emptied.includes(path));
}
