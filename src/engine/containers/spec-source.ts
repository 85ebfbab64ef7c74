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

const uncheckedPlace: RunPlace = {
  rootDirectory: "/",
  netnsPath: undefined,
  files: { hosts: "/dev/null", hostname: "/dev/null", resolvConf: "/dev/null" },
  identity: { passwd: "", group: "" },
};

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
    return buildSpec({ ...this.#input(record, place), joinedNamespaces: this.#joined(record.hostConfig) });
  }

  /**
   * Says at creation what a start would refuse, as far as that can be known without the container's root: its users and
   * the containers whose namespaces it shares are looked up at the start. Out: warnings.
   */
  check(record: ContainerRecord): readonly string[] {
    const input = this.#input(record, uncheckedPlace);
    const { PidMode = "", IpcMode = "", GroupAdd: _, ...hostConfig } = input.hostConfig;
    const own = (mode: string): string => (containerOf(mode) === undefined ? mode : "");
    return buildSpec({
      ...input,
      config: { ...input.config, User: "" },
      hostConfig: { ...hostConfig, PidMode: own(PidMode), IpcMode: own(IpcMode) },
    }).warnings;
  }

  #input(record: ContainerRecord, place: RunPlace): SpecInput {
    const { hostConfig } = record;
    return {
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
      identity: place.identity,
      devices: this.devices.named(hostConfig),
      allDevices: hostConfig.Privileged === true ? this.devices.all() : [],
      initPath: this.initPath,
    };
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
