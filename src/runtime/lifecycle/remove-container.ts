import { PlatformError } from "../../errors/platform-error.ts";
import { killCgroup, removeCgroups } from "../../kernel/cgroupfs.ts";
import { SystemdConnection } from "../../kernel/systemd/systemd-connection.ts";
import { removeContainerDirectory } from "./container-directory.ts";
import type { ContainerState } from "./container-state.ts";
import { killLeftoverProcesses } from "./leftover-processes.ts";

const killTimeoutMs = 10_000;

/** systemd removes the cgroups that it knows; those of a unit that is gone are gone, too. */
function stopUnit({ cgroup: { unit }, options: { systemd } }: ContainerState): void {
  if (unit === undefined || systemd === undefined) return;
  using connection = SystemdConnection.open(systemd.manager);
  connection.stopUnit(unit);
}

/**
 * Removes everything that `create` made for a container whose first process is gone: processes that are left of it, cgroups, the
 * directory. What is missing is fine, so that it can be tried again.
 * Errors: System naming the cgroup that stays busy, Unavailable without the systemd that has the unit; the directory stays then.
 */
export async function removeContainer(directory: string, state: ContainerState): Promise<void> {
  if (state.init === undefined) killLeftoverProcesses(directory);
  const { facts, path, directories } = state.cgroup;
  try {
    await killCgroup(facts, path, AbortSignal.timeout(killTimeoutMs));
  } catch (error) {
    if (error instanceof PlatformError && error.kind === "Cancelled")
      throw new PlatformError("System", `the processes of container ${state.id} do not end`, {
        cause: error,
      });
    throw error;
  }
  stopUnit(state);
  await removeCgroups(directories);
  removeContainerDirectory(directory);
}
