import type { HostDevice } from "../../kernel/host-devices.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { IdentityFiles } from "../../runtime/users.ts";
import type { ContainerConfig, HostConfig } from "./docker-config.ts";

/** All that the spec of a container is built from; paths are absolute host paths. */
export interface SpecInput {
  readonly containerId: string;
  /** As the user wrote it; for reasons. */
  readonly imageName: string;
  /** After `mergeImageConfig`. */
  readonly config: ContainerConfig;
  /** What the user's own request had, to tell his words from the image's. */
  readonly userConfig: ContainerConfig;
  /** After `withHostDefaults`. */
  readonly hostConfig: HostConfig;
  readonly host: HostFacts;
  readonly rootfs: string;
  /** The container's; the host's where it shares the uts namespace. */
  readonly hostname: string;
  /** Files of the container's own directory, which are bound over the image's. */
  readonly networkFiles: {
    readonly hosts?: string;
    readonly hostname?: string;
    readonly resolvConf?: string;
  };
  /** A prepared network namespace; without one, a new one is made, or the host's used with NetworkMode `host`. */
  readonly netnsPath?: string;
  /** Namespaces of other containers, for the modes `container:NAME`: paths below /proc/PID/ns. */
  readonly joinedNamespaces?: { readonly pid?: string; readonly ipc?: string; readonly network?: string };
  readonly identity: IdentityFiles;
  /** Of `Devices` and the throttled and weighted devices, by PathOnHost; a directory has many. See `kernel/host-devices.ts`. */
  readonly devices: ReadonlyMap<string, readonly HostDevice[]>;
  /** Every device of the host; needed for Privileged only. */
  readonly allDevices: readonly HostDevice[];
  /** The program which `Init` puts in front: a static binary that reaps and forwards signals. */
  readonly initPath?: string;
}
