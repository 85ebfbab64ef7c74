import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { ContainerConfig, HostConfig } from "./docker-config.ts";

/** Fields of HostConfig which gantry does not carry out, each with the flag that sets it. */
const unbuilt = {
  VolumeDriver: "--volume-driver",
  VolumesFrom: "--volumes-from",
  Cgroup: "Cgroup",
  Links: "--link",
  StorageOpt: "--storage-opt",
  DeviceRequests: "--gpus",
  CpuRealtimePeriod: "--cpu-rt-period",
  CpuRealtimeRuntime: "--cpu-rt-runtime",
  KernelMemory: "--kernel-memory",
  KernelMemoryTCP: "KernelMemoryTCP",
  CpuCount: "--cpu-count",
  CpuPercent: "--cpu-percent",
  IOMaximumIOps: "--io-maxiops",
  IOMaximumBandwidth: "--io-maxbandwidth",
} as const satisfies Partial<Record<keyof HostConfig, string>>;

/**
 * Refuses what would otherwise be accepted and then ignored.
 * Errors: NotImplemented naming the field and its flag; InvalidParameter for an isolation of another system.
 */
export function refuseUnbuilt(config: HostConfig): void {
  for (const [field, flag] of Object.entries(unbuilt))
    if (isSet(config[field as keyof typeof unbuilt]))
      throw notImplemented(`HostConfig.${field} (${flag}) is not supported`);
  const { Isolation = "", RestartPolicy = {} } = config;
  if (Isolation !== "" && Isolation !== "default")
    throw invalidParameter(`invalid isolation '${Isolation}' on linux`);
  const { Name = "", MaximumRetryCount = 0 } = RestartPolicy;
  if (Name !== "" && Name !== "no")
    throw notImplemented(`HostConfig.RestartPolicy (--restart ${Name}) is not supported`);
  if (MaximumRetryCount !== 0)
    throw invalidParameter("invalid restart policy: maximum retry count can only be used with 'on-failure'");
}

/** The same for the user's own part of ContainerConfig (before the image's is merged into it). */
export function refuseUnbuiltConfig(config: ContainerConfig): void {
  const test = config.Healthcheck?.Test ?? [];
  if (config.Healthcheck !== undefined && test[0] !== "NONE" && test.length > 0)
    throw notImplemented("Healthcheck (--health-cmd) is not supported");
  if (Object.keys(config.Volumes ?? {}).length > 0)
    throw notImplemented(
      `volume ${Object.keys(config.Volumes ?? {}).join(", ")}: anonymous volumes are not supported yet`,
      { hint: "bind a directory of the host: SOURCE:DESTINATION" },
    );
  if (config.NetworkDisabled === true) throw notImplemented("NetworkDisabled is not supported");
  if (isSet(config.MacAddress)) throw notImplemented("MacAddress (--mac-address) is not supported");
}

/** Nothing, 0, the empty string, list and object are what clients send for "not set". */
function isSet(value: unknown): boolean {
  if (value === undefined || value === "" || value === 0 || value === false) return false;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}
