import { PlatformError } from "../../errors/platform-error.ts";
import { killCgroup, removeCgroups } from "../../kernel/cgroupfs.ts";
import { removeContainerDirectory } from "./container-directory.ts";
import type { ContainerState } from "./container-state.ts";
import { killLeftoverProcesses } from "./leftover-processes.ts";

const killTimeoutMs = 10_000;

/**
 * Removes everything that `create` made for a container whose first process is gone: processes that are left of it, cgroups, the
 * directory. What is missing is fine, so that it can be tried again.
 * Errors: System naming the cgroup that stays busy; the directory stays then.
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
  await removeCgroups(directories);
  removeContainerDirectory(directory);
}
