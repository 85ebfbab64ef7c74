import { readFileSync } from "node:fs";
import { systemError } from "../../errors/platform-error.ts";
import type { ServiceManager, SystemdFacts } from "./service-manager.ts";
import { SystemdConnection } from "./systemd-connection.ts";

/** Asks the manager. Errors: as `SystemdConnection.open`. */
export function detectSystemd(manager: ServiceManager): SystemdFacts {
  using systemd = SystemdConnection.open(manager);
  return {
    manager,
    version: parseSystemdVersion(systemd.managerProperty("Version")),
    controlGroup: parseControlGroup(systemd.managerProperty("ControlGroup")),
    deviceGroups: parseDeviceGroups(readFileSync("/proc/devices", "latin1")),
  };
}

/** `252.38-1~deb12u1`, `v245.4-1.fc32` → 252, 245. Pure. */
export function parseSystemdVersion(text: string): number {
  const digits = /^v?(\d+)/.exec(text)?.[1];
  if (digits === undefined) throw systemError(`systemd says that its version is ${JSON.stringify(text)}`);
  return Number(digits);
}

/** A manager in the root says `/` or nothing; as process 1 it may say where it is itself, beside its units. Pure. */
export const parseControlGroup = (text: string): string =>
  text.replace(/\/init\.scope$/, "").replace(/\/+$/, "");

/** /proc/devices: `Character devices:`, then lines of major number and name; likewise for block devices. Pure. */
export function parseDeviceGroups(text: string): Record<string, string> {
  const [characters = "", blocks = ""] = text.split("Block devices:");
  return Object.fromEntries([...groupsIn(characters, "c"), ...groupsIn(blocks, "b")]);
}

const groupsIn = (section: string, type: "c" | "b") =>
  [...section.matchAll(/^ *(\d+) (\S+)$/gm)].map(
    ([, major, name = ""]) => [`${type} ${major}`, name] as const,
  );
