import { posix } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { ContainerState } from "./container-state.ts";

/**
 * The cgroups that an exec'd process joins: the container's own, or what `--cgroup [CONTROLLERS:]PATH` names below them. Pure.
 * Errors: InvalidParameter for a path that leads out of the container's cgroup, or a controller that is not there.
 */
export function execCgroups(
  { facts, path, directories }: ContainerState["cgroup"],
  wishes: readonly string[],
): string[] {
  let chosen = [...directories];
  for (const wish of wishes) {
    const colon = wish.indexOf(":");
    const below = checkPath(wish.slice(colon + 1), wish);
    if (colon < 0) {
      chosen = chosen.map((directory) => (directories.includes(directory) ? directory + below : directory));
      continue;
    }
    if (facts.version !== 1)
      throw invalidParameter(`--cgroup ${wish}: controllers can be named on cgroup v1 only`);
    for (const controller of wish.slice(0, colon).split(",")) {
      const hierarchy = facts.hierarchies.find(({ controllers }) => controllers.includes(controller));
      if (hierarchy === undefined)
        throw invalidParameter(`--cgroup ${wish}: there is no controller ${controller}`);
      const own = hierarchy.mountPoint + path;
      chosen = chosen.map((directory) => (directory === own ? own + below : directory));
    }
  }
  return chosen;
}

function checkPath(path: string, wish: string): string {
  const normalized = posix.normalize(`./${path}`);
  if (normalized === ".." || normalized.startsWith("../"))
    throw invalidParameter(`--cgroup ${wish}: is not below the container's cgroup`);
  return normalized === "./" || normalized === "." ? "" : `/${normalized.replace(/\/+$/, "")}`;
}
