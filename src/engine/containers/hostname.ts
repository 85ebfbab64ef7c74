import { hostname } from "node:os";
import type { ContainerRecord } from "./container-record.ts";

/** The given name, the host's own where its names are shared, or the short id. */
export function hostnameOf({
  id,
  config,
  hostConfig,
}: Pick<ContainerRecord, "id" | "config" | "hostConfig">): string {
  if (config.Hostname) return config.Hostname;
  return hostConfig.NetworkMode === "host" || hostConfig.UTSMode === "host" ? hostname() : id.slice(0, 12);
}
