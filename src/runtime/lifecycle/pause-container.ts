import { conflict } from "../../errors/platform-error.ts";
import { freezeCgroup, thawCgroup } from "../../kernel/cgroupfs.ts";
import { containerDirectory } from "./container-directory.ts";
import { readState } from "./container-state.ts";
import { statusOf } from "./container-status.ts";

const freezeTimeoutMs = 10_000;

/** Errors: Conflict unless it is created or running; NotImplemented without a freezer. */
export async function pauseContainer(root: string, id: string): Promise<void> {
  const directory = containerDirectory(root, id);
  const state = readState(directory);
  const status = statusOf(directory, state);
  if (status !== "running" && status !== "created")
    throw conflict(`container not running or created: ${status}`);
  await freezeCgroup(state.cgroup.facts, state.cgroup.path, AbortSignal.timeout(freezeTimeoutMs));
}

/** Errors: Conflict unless it is paused. */
export async function resumeContainer(root: string, id: string): Promise<void> {
  const directory = containerDirectory(root, id);
  const state = readState(directory);
  if (statusOf(directory, state) !== "paused") throw conflict("container not paused");
  await thawCgroup(state.cgroup.facts, state.cgroup.path, AbortSignal.timeout(freezeTimeoutMs));
}
