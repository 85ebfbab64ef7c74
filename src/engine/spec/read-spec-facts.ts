import { mkdirSync, statSync } from "node:fs";
import { posix } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciSpec } from "../../formats/oci-runtime.ts";
import { type HostDevice, readAllHostDevices, readHostDevices } from "../../kernel/host-devices.ts";
import { readFileInRoot } from "../../kernel/read-in-root.ts";
import type { TargetKind } from "../../kernel/steps.ts";
import { parseMountOptions } from "../../runtime/plan/mount-options.ts";
import type { IdentityFiles } from "../../runtime/users.ts";
import type { HostConfig } from "./docker-config.ts";
import { parseBind } from "./parse-bind.ts";

/**
 * Everything that `buildSpec` and `planContainer` have to know of files, read once: so that both stay pure.
 */

/** A file of accounts beyond this is no file of accounts. */
const identityFileBytes = 1024 * 1024;

/** The container's own /etc/passwd and /etc/group, resolved inside its root; empty where missing. */
export const readIdentityFiles = (rootfs: string): IdentityFiles => ({
  passwd: readFileInRoot(rootfs, "/etc/passwd", identityFileBytes) ?? "",
  group: readFileInRoot(rootfs, "/etc/group", identityFileBytes) ?? "",
});

/** Errors: InvalidParameter in Docker's wording for a device that cannot be read. */
export function readDevices(config: HostConfig): {
  devices: Map<string, readonly HostDevice[]>;
  allDevices: readonly HostDevice[];
} {
  const throttled = [
    ...(config.BlkioWeightDevice ?? []),
    ...(config.BlkioDeviceReadBps ?? []),
    ...(config.BlkioDeviceWriteBps ?? []),
    ...(config.BlkioDeviceReadIOps ?? []),
    ...(config.BlkioDeviceWriteIOps ?? []),
  ].map(({ Path = "" }) => Path);
  const mapped = (config.Devices ?? []).map(({ PathOnHost = "" }) => PathOnHost);
  const devices = new Map<string, readonly HostDevice[]>();
  for (const path of new Set([...throttled, ...mapped])) devices.set(path, readDevice(path));
  return { devices, allDevices: config.Privileged === true ? readAllHostDevices() : [] };
}

function readDevice(path: string): HostDevice[] {
  try {
    return readHostDevices(path);
  } catch (error) {
    throw invalidParameter(
      `error gathering device information while adding custom device ${JSON.stringify(path)}: no such file or directory`,
      { cause: error },
    );
  }
}

/**
 * Makes missing sources of `Binds` as directories, as Docker does; those of `Mounts` have to be there, unless they say otherwise.
 * Errors: InvalidParameter in Docker's wording.
 */
export function prepareBindSources({ Binds = [], Mounts = [] }: HostConfig): void {
  for (const text of Binds) makeSource(parseBind(text).source);
  for (const { Type, Source = "", BindOptions } of Mounts) {
    if (Type !== "bind") continue;
    if (BindOptions?.CreateMountpoint === true) makeSource(Source);
    else if (statSync(Source, { throwIfNoEntry: false }) === undefined)
      throw invalidParameter(
        `invalid mount config for type "bind": bind source path does not exist: ${Source}`,
      );
  }
}

function makeSource(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw invalidParameter(
      `error while creating mount source path '${path}': ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

/**
 * What the sources of a spec's binds are, for `PlanOptions.sourceKinds`.
 * Errors: InvalidParameter for one that does not exist.
 */
export function readSourceKinds({ mounts = [] }: OciSpec, bundle: string): Map<string, TargetKind> {
  const kinds = new Map<string, TargetKind>();
  for (const { source, type, options = [] } of mounts) {
    if (source === undefined || (type !== "bind" && parseMountOptions(options).bind === "no")) continue;
    const path = posix.resolve(bundle, source);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined)
      throw invalidParameter(
        `invalid mount config for type "bind": bind source path does not exist: ${path}`,
      );
    kinds.set(path, stats.isDirectory() ? "directory" : "file");
  }
  return kinds;
}
