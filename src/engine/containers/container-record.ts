import type { Digest } from "../../core/content/contract.ts";
import type { ImageConfig } from "../../formats/oci-image.ts";
import type { Endpoint } from "../../network/contract.ts";
import { zeroTime } from "../clock.ts";
import type { ContainerConfig, HostConfig } from "../spec/docker-config.ts";
import type { MountPoint } from "./mount-points.ts";
import type { ContainerStatus } from "./state-machine.ts";

export interface ContainerState {
  readonly status: ContainerStatus;
  /** In the host's pid namespace; 0 while no process exists. */
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Why the last start failed; empty otherwise. */
  readonly error: string;
  /** RFC 3339 with nanoseconds; `zeroTime` for never. */
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** What a container is: its sidecar `containers/<id>/container.json`, and what `inspect` tells from. */
export interface ContainerRecord {
  readonly version: 1;
  /** 64 hex digits. */
  readonly id: string;
  /** Without slash. */
  readonly name: string;
  readonly createdAt: string;
  /** As the client gave them. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly imageId: Digest;
  /** The image's own config at creation: the image may be untagged or removed by force meanwhile. */
  readonly imageConfig: ImageConfig;
  readonly mounts: readonly MountPoint[];
  readonly state: ContainerState;
  /** While it is live. */
  readonly endpoint: Endpoint | undefined;
  /** Path of the present run's cgroup, the same below all hierarchies. */
  readonly cgroupPath: string | undefined;
  readonly restartCount: number;
}

export const initialState: ContainerState = {
  status: "created",
  pid: 0,
  exitCode: 0,
  oomKilled: false,
  error: "",
  startedAt: zeroTime,
  finishedAt: zeroTime,
};
