import { notImplemented } from "../../errors/platform-error.ts";
import type { Plan } from "../../kernel/steps.ts";

/** A mount of a container whose file system is the host's, which criu neither saves nor makes. */
export interface ExternalMount {
  /** Path inside the container. */
  readonly target: string;
  /** Host path. */
  readonly source: string;
}

/**
 * The binds of a plan. `isFile` tells of a masked path what it is inside the container: files are covered by the host's null
 * device, directories by a file system of the container's own, and what is missing by nothing. Pure but for `isFile`.
 *
 * Errors: NotImplemented for an idmapped bind, whose owners criu would not map again.
 */
export function externalMounts(plan: Plan, isFile: (path: string) => boolean): ExternalMount[] {
  return plan.steps.flatMap((step) => {
    if (step.op === "bind" && step.idMap !== undefined)
      throw notImplemented(`mount ${step.target}: criu does not keep idmapped mounts`);
    if (step.op === "bind") return [{ target: step.target, source: step.source }];
    if (step.op === "bind-device") return [{ target: step.path, source: step.source }];
    if (step.op === "mask-path" && isFile(step.path)) return [{ target: step.path, source: "/dev/null" }];
    return [];
  });
}

/** A place where something is mounted, which has to be there before. */
export interface MountPoint {
  readonly path: string;
  readonly kind: "directory" | "file";
}

/**
 * Where a plan mounts something onto its root itself. What is below another mount is part of that file system: of its image, or
 * of the host. Pure.
 */
export function mountPointsOnRoot(plan: Plan): MountPoint[] {
  const points: MountPoint[] = [];
  for (const step of plan.steps) {
    if (step.op !== "mount" && step.op !== "bind") continue;
    if (points.some(({ path }) => step.target.startsWith(`${path}/`))) continue;
    points.push({ path: step.target, kind: step.op === "bind" ? step.targetKind : "directory" });
  }
  return points;
}
