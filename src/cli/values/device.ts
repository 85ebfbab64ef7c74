/** `HostConfig.Devices[]`. */
export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

/** `/dev/x[:/dev/y][:rwm]`. Errors: Error naming the value. */
export function parseDevice(raw: string): DeviceMapping {
  const parts = raw.split(":");
  const [host = "", second, third] = parts;
  if (parts.length > 3) throw new Error(`bad format for path: ${raw}`);
  if (!host.startsWith("/")) throw new Error(`${host} is not an absolute path`);
  const secondIsMode = parts.length === 2 && second !== undefined && isDeviceMode(second);
  const inside = secondIsMode || second === undefined ? host : second;
  const mode = secondIsMode ? second : (third ?? "rwm");
  if (!inside.startsWith("/")) throw new Error(`${inside} is not an absolute path`);
  if (!isDeviceMode(mode)) throw new Error(`bad mode specified: ${mode}`);
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: mode };
}

const isDeviceMode = (text: string) => /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;

/** `--device-cgroup-rule 'c 13:* rwm'`. Errors: Error, in Docker's words. */
export function checkDeviceRule(raw: string): string {
  if (!/^[acb] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}$/.test(raw))
    throw new Error(`invalid device cgroup format '${raw}'`);
  return raw;
}
