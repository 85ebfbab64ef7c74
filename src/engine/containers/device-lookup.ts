import { type HostDevice, readAllHostDevices, readHostDevices } from "../../kernel/host-devices.ts";
import type { HostConfig } from "../spec/docker-config.ts";

/** Finds the host's device nodes that a container asks for. */
export class DeviceLookup {
  /** Of `--device` and of the limits for single devices, by the path that was asked for. */
  named(hostConfig: HostConfig): Map<string, readonly HostDevice[]> {
    const {
      BlkioWeightDevice,
      BlkioDeviceReadBps,
      BlkioDeviceWriteBps,
      BlkioDeviceReadIOps,
      BlkioDeviceWriteIOps,
    } = hostConfig;
    const limited = [
      BlkioWeightDevice,
      BlkioDeviceReadBps,
      BlkioDeviceWriteBps,
      BlkioDeviceReadIOps,
      BlkioDeviceWriteIOps,
    ];
    const paths = [
      ...(hostConfig.Devices ?? []).map((device) => device.PathOnHost),
      ...limited.flatMap((list) => (list ?? []).map((device) => device.Path)),
    ];
    return new Map(
      paths.flatMap((path) => (path === undefined ? [] : [[path, readHostDevices(path)] as const])),
    );
  }

  /** Of `--privileged`. */
  all(): HostDevice[] {
    return readAllHostDevices();
  }
}
