import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { cgroupDirectories } from "../plan/cgroup-path.ts";

/**
 * The host as its caller may use it: an unprivileged one whose cgroups nobody has delegated to has none, so that a container
 * without limits runs outside of them, and one with limits is refused by the planner.
 */
export function withUsableCgroups(host: HostFacts, cgroupPath: string, effectiveUid: number): HostFacts {
  if (effectiveUid === 0) return host;
  const usable = cgroupDirectories(host.cgroup, cgroupPath).every(canMake);
  return usable ? host : { ...host, cgroup: { version: 0 } };
}

/** Whether the nearest directory above that exists may be written to. */
function canMake(directory: string): boolean {
  let parent = dirname(directory);
  while (!existsSync(parent) && parent !== "/") parent = dirname(parent);
  try {
    accessSync(parent, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
