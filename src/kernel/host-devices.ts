import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { errnoOf, fileError } from "./cgroup-files.ts";

/** A device node of the host. */
export interface HostDevice {
  readonly path: string;
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The device at `path`, through symbolic links but under the name that was asked for; of a directory, every device in it and
 * below. Empty for anything else.
 * Errors: System in Docker's wording for a path that cannot be read.
 */
export function readHostDevices(path: string): HostDevice[] {
  try {
    const stats = statSync(path);
    if (!stats.isDirectory()) return toDevice(path, stats);
    const directory = realpathSync(path);
    return devicesBelow(directory).map((device) => ({
      ...device,
      path: path + device.path.slice(directory.length),
    }));
  } catch (error) {
    throw fileError(
      error,
      `error gathering device information while adding custom device ${JSON.stringify(path)}`,
    );
  }
}

/** Pseudo terminals, queues and shared memory are every container's own; the console is made by its terminal. */
const notHost = new Set([
  "/dev/pts",
  "/dev/shm",
  "/dev/fd",
  "/dev/mqueue",
  "/dev/console",
  "/dev/.lxc",
  "/dev/.lxd-mounts",
]);

/** Every device below /dev: what a privileged container gets. */
export const readAllHostDevices = (): HostDevice[] => devicesBelow("/dev");

function devicesBelow(directory: string): HostDevice[] {
  const devices: HostDevice[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (notHost.has(path)) continue;
    if (entry.isDirectory()) devices.push(...devicesBelow(path));
    else if (entry.isCharacterDevice() || entry.isBlockDevice()) devices.push(...toDeviceIfPresent(path));
  }
  return devices;
}

/** Devices come and go while they are listed. */
function toDeviceIfPresent(path: string): HostDevice[] {
  try {
    return toDevice(path, lstatSync(path));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function toDevice(path: string, stats: Stats): HostDevice[] {
  const type = stats.isCharacterDevice() ? "c" : stats.isBlockDevice() ? "b" : undefined;
  if (type === undefined) return [];
  // The C library's layout of dev_t: 12 + 20 bits.
  const device = BigInt(stats.rdev);
  return [
    {
      path,
      type,
      major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
      minor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn)),
      mode: stats.mode & 0o7777,
      uid: stats.uid,
      gid: stats.gid,
    },
  ];
}
