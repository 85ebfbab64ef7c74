import { invalidParameter } from "../../errors/platform-error.ts";
import type { HostConfig } from "./docker-config.ts";

/** Errors: InvalidParameter in Docker's wording for a mode that does not exist or contradicts another one. */
export function checkModes(config: HostConfig): void {
  const {
    IpcMode = "",
    PidMode = "",
    UTSMode = "",
    CgroupnsMode = "",
    UsernsMode = "",
    Runtime = "",
  } = config;
  if (!["", "none", "private", "shareable", "host"].includes(IpcMode) && containerOf(IpcMode) === undefined)
    throw invalidParameter(`invalid IPC mode: ${IpcMode}`);
  if (!["", "host"].includes(PidMode) && containerOf(PidMode) === undefined)
    throw invalidParameter(`invalid PID mode: ${PidMode}`);
  if (!["", "host"].includes(UTSMode)) throw invalidParameter(`invalid UTS mode: ${UTSMode}`);
  if (!["", "private", "host"].includes(CgroupnsMode))
    throw invalidParameter(`invalid cgroup namespace mode: ${CgroupnsMode}`);
  if (!["", "host"].includes(UsernsMode)) throw invalidParameter(`invalid USER mode: ${UsernsMode}`);
  if (!["", "gantry", "runc"].includes(Runtime))
    throw invalidParameter(`unknown or invalid runtime name: ${Runtime}`);
}

/** NAME of `container:NAME`. */
export const containerOf = (mode: string): string | undefined => /^container:(.+)$/.exec(mode)?.[1];
