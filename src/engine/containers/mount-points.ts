import type { HostConfig, MountSpec } from "../spec/docker-config.ts";
import { parseBind } from "../spec/parse-bind.ts";

/** engine-api.yaml, MountPoint. */
export interface MountPoint {
  readonly Type: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

/** The mounts that `inspect` shows: binds of `-v`, and all of `--mount`. engine-api.yaml, MountPoint. */
export function mountPoints(hostConfig: HostConfig): MountPoint[] {
  return [...(hostConfig.Binds ?? []).map(bindPoint), ...(hostConfig.Mounts ?? []).map(mountPoint)];
}

function bindPoint(text: string): MountPoint {
  const { source, target, readOnly, propagation } = parseBind(text);
  const mode = text.split(":")[2] ?? "";
  return {
    Type: "bind",
    Source: source,
    Destination: target,
    Mode: mode,
    RW: !readOnly,
    Propagation: propagation ?? "rprivate",
  };
}

function mountPoint(mount: MountSpec): MountPoint {
  return {
    Type: mount.Type ?? "bind",
    Source: mount.Source ?? "",
    Destination: mount.Target ?? "",
    Mode: "",
    RW: mount.ReadOnly !== true,
    Propagation: mount.Type === "bind" ? mount.BindOptions?.Propagation || "rprivate" : "",
  };
}
