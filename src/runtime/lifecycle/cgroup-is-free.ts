import { existsSync } from "node:fs";
import { conflict } from "../../errors/platform-error.ts";
import { listProcesses } from "../../kernel/cgroupfs.ts";
import { unitExists } from "../../kernel/systemd/systemd-connection.ts";
import type { ContainerState } from "./container-state.ts";

/**
 * Refuses cgroups that somebody is in, before they are written down as the container's own: whoever deletes the container kills
 * what is in them. Errors: Conflict naming the cgroup, or the unit that it is of.
 */
export function requireFreeCgroups({ directories, unit }: ContainerState["cgroup"]): void {
  // Most are not there yet, and an error of node:fs is slow to make.
  for (const directory of directories)
    if (existsSync(directory) && listProcesses(directory).length > 0) {
      if (unit !== undefined) throw unitExists(unit);
      throw conflict(`cgroup ${directory} is in use by another container or process`, {
        code: "cgroup.in-use",
        hint: "give this container a linux.cgroupsPath of its own",
      });
    }
}
