import { readFileSync, writeFileSync } from "node:fs";
import { systemError } from "../errors/platform-error.ts";

/** Value of a kernel parameter of the host, named by its path: `net/ipv4/ip_forward`. Undefined if this kernel lacks it. */
export function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Writes only where the value differs, so that a read-only /proc/sys with the right value is fine. */
export function writeSysctl(path: string, value: string): void {
  if (readSysctl(path) === value) return;
  try {
    writeFileSync(`/proc/sys/${path}`, value);
  } catch (error) {
    throw systemError(`set ${path.replaceAll("/", ".")} to ${value}: not permitted`, {
      cause: error,
      code: "network.sysctl",
    });
  }
}
