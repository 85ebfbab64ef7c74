import { invalidParameter } from "../../errors/platform-error.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { defaultShmSizeBytes } from "../../runtime/defaults.ts";
import { checkModes } from "./check-modes.ts";
import type { HostConfig } from "./docker-config.ts";
import { refuseUnbuilt } from "./refuse-unbuilt.ts";
import { hasSwap, validateResources } from "./validate-resources.ts";

/**
 * What a create request asks of the host, checked, with the defaults filled in that `inspect` shows: to be kept with the container
 * and given to `buildSpec`.
 *
 * Warnings name what this host cannot do and is therefore left out, in Docker's wording.
 * Errors: InvalidParameter in Docker's wording; NotImplemented naming a field that gantry does not carry out.
 */
export function prepareHostConfig(
  requested: HostConfig,
  host: HostFacts,
): { hostConfig: HostConfig; warnings: string[] } {
  refuseUnbuilt(requested);
  checkModes(requested);
  const { ShmSize = 0, OomScoreAdj = 0 } = requested;
  if (ShmSize < 0) throw invalidParameter("SHM size can not be less than 0");
  if (OomScoreAdj < -1000 || OomScoreAdj > 1000)
    throw invalidParameter(`Invalid value ${OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  const { resources, warnings } = validateResources(requested, host);
  const { Memory = 0, MemorySwap = 0 } = resources;
  const hostConfig: HostConfig = {
    ...requested,
    ...resources,
    MemorySwap: MemorySwap === 0 && Memory > 0 && hasSwap(host) ? Memory * 2 : MemorySwap,
    ShmSize: ShmSize === 0 ? defaultShmSizeBytes : ShmSize,
    IpcMode: requested.IpcMode || "private",
    CgroupnsMode: requested.CgroupnsMode || "private",
    NetworkMode: requested.NetworkMode || "default",
    Runtime: requested.Runtime || "gantry",
  };
  return { hostConfig, warnings };
}
