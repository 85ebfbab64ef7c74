import { setTimeout as sleep } from "node:timers/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import { RegistryError } from "./response-error.ts";

export interface RetryPolicy {
  /** How often a thing is tried at most. */
  readonly attempts: number;
  /** Before the second attempt, in milliseconds; three times as long before each further one. */
  readonly firstDelayMs: number;
  /** The longest pause; a registry that asks for more is not asked again. */
  readonly maxDelayMs: number;
}

const transientCodes = new Set(["registry.cut", "registry.timeout", "registry.failed"]);

/** Whether the same request can go well a moment later. */
export function isTransient(error: unknown): error is PlatformError {
  if (error instanceof RegistryError) return error.status === 429 || error.status >= 500;
  return error instanceof PlatformError && transientCodes.has(error.code ?? "");
}

/** How long to wait after the `failures`th failure in a row; undefined when it is time to give up. */
export function retryDelayMs(policy: RetryPolicy, failures: number, error: unknown): number | undefined {
  if (failures >= policy.attempts || !isTransient(error)) return undefined;
  const asked = error instanceof RegistryError ? error.retryAfterMs : undefined;
  if (asked !== undefined) return asked <= policy.maxDelayMs ? asked : undefined;
  return Math.min(policy.firstDelayMs * 3 ** (failures - 1), policy.maxDelayMs);
}

/** Runs `attempt` until it goes well, fails for good, or was tried often enough. */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  onRetry?: (seconds: number) => void,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      const delayMs = retryDelayMs(policy, failures, error);
      if (delayMs === undefined) throw error;
      onRetry?.(Math.ceil(delayMs / 1000));
      await pause(delayMs, signal);
    }
  }
}

/** Throws the signal's reason when it is aborted meanwhile. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error) => {
    throw signal.aborted ? signal.reason : error;
  });
}
