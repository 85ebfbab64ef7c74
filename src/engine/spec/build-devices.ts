import { posix } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciDevice, OciDeviceRule } from "../../formats/oci-runtime.ts";
import type { HostDevice } from "../../kernel/host-devices.ts";
import type { DeviceMapping } from "./docker-config.ts";
import type { SpecInput } from "./spec-input.ts";

/** A device node in the container with the rule that allows it. */
export interface OriginatedDevice {
  readonly device: OciDevice;
  /** Undefined where everything is allowed anyway. */
  readonly rule: OciDeviceRule | undefined;
  readonly origin: string;
}

/**
 * Builds the devices beside the default ones: of `--device`, or all of the host's for a privileged container.
 *
 * Errors: InvalidParameter in Docker's wording.
 */
export function buildDevices(input: SpecInput): OriginatedDevice[] {
  const { Privileged = false, Devices = [] } = input.hostConfig;
  if (Privileged)
    return input.allDevices.map((device) => ({
      device: nodeFor(device, device.path),
      rule: undefined,
      origin: "--privileged",
    }));
  return Devices.flatMap((mapping) => mappedDevices(mapping, input));
}

function mappedDevices(mapping: DeviceMapping, { devices }: SpecInput): OriginatedDevice[] {
  const { PathOnHost = "" } = mapping;
  const target = mapping.PathInContainer || PathOnHost;
  const access = mapping.CgroupPermissions || "rwm";
  if (!/^[rwm]{1,3}$/.test(access)) throw invalidParameter(`invalid device mode: ${access}`);
  const found = devices.get(PathOnHost) ?? [];
  if (found.length === 0)
    throw invalidParameter(
      `error gathering device information while adding custom device ${JSON.stringify(PathOnHost)}: not a device node`,
    );
  return found.map((device) => ({
    device: nodeFor(device, containerPath(device.path, PathOnHost, target)),
    rule: { allow: true, type: device.type, major: device.major, minor: device.minor, access },
    origin: `--device ${PathOnHost}${target === PathOnHost ? "" : `:${target}`}${access === "rwm" ? "" : `:${access}`}`,
  }));
}

/** Of a directory, the nodes in it go below the target. */
const containerPath = (path: string, pathOnHost: string, target: string) =>
  path === pathOnHost || !path.startsWith(`${pathOnHost}/`)
    ? target
    : posix.join(target, path.slice(pathOnHost.length));

const nodeFor = ({ type, major, minor, mode, uid, gid }: HostDevice, path: string): OciDevice => ({
  path,
  type,
  major,
  minor,
  fileMode: mode,
  uid,
  gid,
});
