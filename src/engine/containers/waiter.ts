import { invalidParameter } from "../../errors/platform-error.ts";
import type { Container } from "./container.ts";

export type WaitCondition = "not-running" | "next-exit" | "removed";

export function parseWaitCondition(text: string | null): WaitCondition {
  if (text === null || text === "" || text === "not-running") return "not-running";
  if (text === "next-exit" || text === "removed") return text;
  throw invalidParameter(`invalid condition: ${JSON.stringify(text)}`);
}

/**
 * Settles with the exit code once the condition holds; a container that never ran counts as not running.
 * Registers before it returns: an exit right after the call is not missed. Rejects with the signal's reason.
 */
export function waitForContainer(
  container: Container,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<number> {
  if (condition === "not-running" && !container.isLive)
    return Promise.resolve(container.record.state.exitCode);
  return condition === "removed" ? container.removals.wait(signal) : container.exits.wait(signal);
}
