import { conflict, PlatformError } from "../../errors/platform-error.ts";

/** The process, or its shim with it, ended before the request came: its exit is on the way, if it has not come. */
export const hasEnded = (error: unknown): boolean =>
  error instanceof PlatformError &&
  (error.kind === "NotFound" || error.kind === "Conflict" || error.code === "shim.gone");

export const notRunning = (containerId: string): PlatformError =>
  conflict(`container ${containerId} is not running`);

/** Docker's wording for a process that ended just before; any other error as it is. */
export const asNotRunning = (error: unknown, containerId: string): unknown =>
  hasEnded(error) ? notRunning(containerId) : error;
