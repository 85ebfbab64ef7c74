import { addon, isAddonLoaded } from "./addon.ts";
import { nr } from "./syscall.ts";

/**
 * Ends this process at once, when nothing is left that would have to be written or undone. Otherwise Bun takes more than a
 * millisecond to take down what the kernel takes down anyway. Without a loaded addon it ends in the usual way.
 */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode;
  if (isAddonLoaded()) addon.syscall(nr.exit_group, exitCode);
}
