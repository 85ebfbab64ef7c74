import type { Change } from "../../core/snapshots/list-changes.ts";
import { initTarget } from "../spec/build-mounts.ts";
import type { HostConfig } from "../spec/docker-config.ts";

/**
 * What the engine makes in a container's top to mount on. The mount points that every container has are in the layer
 * below it: see makeInitLayer.
 */
export const engineMountPoints = ({ Init }: HostConfig): readonly string[] =>
  Init === true ? [initTarget] : [];

/** What the container itself changed: without the engine's mount points, and the folders changed only by them. */
export function containerChanges(changes: readonly Change[], mountPoints: readonly string[]): Change[] {
  const isMountPoint = ({ path, kind }: Change): boolean => kind === "added" && mountPoints.includes(path);
  const own = changes.filter((change) => !isMountPoint(change));
  const emptied = changes
    .filter(isMountPoint)
    .map(({ path }) => path.slice(0, path.lastIndexOf("/")))
    .filter((folder) => !own.some(({ path }) => path.startsWith(`${folder}/`)));
  return own.filter(({ path, kind }) => kind === "deleted" || !emptied.includes(path));
}
