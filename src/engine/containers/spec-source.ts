import type { HostFacts } from "../../kernel/host-facts.ts";
import type { IdentityFiles } from "../../runtime/users.ts";
import { type BuiltSpec, buildSpec } from "../spec/build-spec.ts";
import { containerOf } from "../spec/check-modes.ts";
import type { HostConfig } from "../spec/docker-config.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import type { SpecInput } from "../spec/spec-input.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { DeviceLookup } from "./device-lookup.ts";
import { hostnameOf } from "./hostname.ts";
import type { RunFiles } from "./run-files.ts";

/** Where a run takes place: what its spec says beside the record. */
export interface RunPlace {
  readonly rootDirectory: string;
  /** Undefined: the host's, or a new one. */
  readonly netnsPath: string | undefined;
  readonly files: RunFiles;
  readonly identity: IdentityFiles;
}

/** Builds the OCI spec of a container from its record. */
export class SpecSource {
  constructor(
    readonly host: HostFacts,
    private readonly devices: DeviceLookup,
    /** The pid of another, live container; Conflict when it is not running. */
    private readonly pidOf: (reference: string) => number,
    /** The program of `--init`. */
    private readonly initPath: string,
  ) {}

  build(record: ContainerRecord, place: RunPlace): BuiltSpec {
    const { hostConfig } = record;
    const input: SpecInput = {
      containerId: record.id,
      imageName: record.config.Image ?? record.imageId,
      config: mergeImageConfig(record.config, record.imageConfig),
      userConfig: record.config,
      hostConfig,
      host: this.host,
      rootfs: place.rootDirectory,
      hostname: hostnameOf(record),
      networkFiles: place.files,
      ...(place.netnsPath === undefined ? {} : { netnsPath: place.netnsPath }),
      joinedNamespaces: this.#joined(hostConfig),
      identity: place.identity,
      devices: this.devices.named(hostConfig),
      allDevices: hostConfig.Privileged === true ? this.devices.all() : [],
      initPath: this.initPath,
    };
    return buildSpec(input);
  }

  #joined({ PidMode = "", IpcMode = "" }: HostConfig): NonNullable<SpecInput["joinedNamespaces"]> {
    const pid = containerOf(PidMode);
    const ipc = containerOf(IpcMode);
    return {
      ...(pid === undefined ? {} : { pid: `/proc/${this.pidOf(pid)}/ns/pid` }),
      ...(ipc === undefined ? {} : { ipc: `/proc/${this.pidOf(ipc)}/ns/ipc` }),
    };
  }
}
