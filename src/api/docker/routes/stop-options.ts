import type { StopOptions } from "../../../engine/containers/stopper.ts";
import { integerQuery } from "../query.ts";

/** `signal` (since 1.42) and `t` of stop and restart. */
export function stopOptions(query: URLSearchParams, minor: number): StopOptions {
  const signal = minor >= 42 ? query.get("signal") : null;
  return { signal: signal || undefined, timeoutSeconds: integerQuery(query, "t") };
}
