import type { UnitProperty } from "../../kernel/systemd/service-manager.ts";
import { type DeviceAccess, type DeviceException, formatAccess } from "../plan/device-rules.ts";

/**
 * A container's devices as properties of its unit, beside the filter that is made here: where systemd writes its own rules anew, as it
 * does on v1 when it is reloaded, they are the same. Pure.
 *
 * Rules that systemd cannot have (a driver of /proc/devices, all devices, or one device, each of them allowed) leave it without
 * any; the filter made here stands alone then.
 * Spec: systemd.resource-control(5), "DeviceAllow=", "DevicePolicy=".
 */
export function deviceProperties(
  { defaultAllow, exceptions }: DeviceAccess,
  groups: Readonly<Record<string, string>>,
): UnitProperty[] {
  const allowed = exceptions.map((exception) => [
    deviceName(exception, groups),
    formatAccess(exception.access),
  ]);
  const expressible = !defaultAllow && allowed.every(([name]) => name !== undefined);
  return [
    { name: "DevicePolicy", signature: "s", value: expressible ? "strict" : "auto" },
    { name: "DeviceAllow", signature: "a(ss)", value: expressible ? (allowed as string[][]) : [] },
  ];
}

/** `char-*`, `char-pts`, `/dev/char/1:3`. */
function deviceName(
  { type, major, minor }: DeviceException,
  groups: Readonly<Record<string, string>>,
): string | undefined {
  const kind = type === "c" ? "char" : "block";
  if (major === undefined) return minor === undefined ? `${kind}-*` : undefined;
  if (minor !== undefined) return `/dev/${kind}/${major}:${minor}`;
  const group = groups[`${type} ${major}`];
  return group === undefined ? undefined : `${kind}-${group}`;
}
