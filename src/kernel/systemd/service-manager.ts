/** Which systemd: that of the machine, or one that serves a user. */
export type ServiceManager =
  | { readonly kind: "system" }
  /** `runtimeDirectory` is XDG_RUNTIME_DIR of the user. */
  | { readonly kind: "user"; readonly runtimeDirectory: string };

/** What planning needs to know of it. */
export interface SystemdFacts {
  readonly manager: ServiceManager;
  /** 252 */
  readonly version: number;
  /** Its own cgroup, which all its units are below; empty for the root. */
  readonly controlGroup: string;
  /** Names of the drivers of /proc/devices, by `c MAJOR` and `b MAJOR`. */
  readonly deviceGroups: Readonly<Record<string, string>>;
}

/** A property of a unit as D-Bus has it: D-Bus interface of systemd, "org.freedesktop.systemd1". */
export interface UnitProperty {
  readonly name: string;
  /** One complete D-Bus type. */
  readonly signature: string;
  readonly value: import("../dbus/values.ts").DBusValue;
}
