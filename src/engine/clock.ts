/** How far the refined clock may be from the wall clock before that is believed again (it was set, or drifted). */
const toleranceMs = 2;

/** Wall-clock nanoseconds since 1970; JavaScript knows milliseconds, the monotonic clock refines them. */
export const nowNs: () => bigint = createClock(Date.now, () => performance.now());

/** In: both clocks in milliseconds. */
export function createClock(wallMs: () => number, monotonicMs: () => number): () => bigint {
  let offsetMs = wallMs() - monotonicMs();
  return () => {
    const [wall, monotonic] = [wallMs(), monotonicMs()];
    if (Math.abs(offsetMs + monotonic - wall) > toleranceMs) offsetMs = wall - monotonic;
    return BigInt(Math.round((offsetMs + monotonic) * 1000)) * 1000n;
  };
}

/** RFC 3339 in UTC with as many fraction digits as are not zero, as Go writes it (`RFC3339Nano`). */
export function formatTimeNs(ns: bigint): string {
  const ms = Number(ns / 1_000_000n);
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  const whole = new Date(ms).toISOString().slice(0, 19);
  return fraction === "" ? `${whole}Z` : `${whole}.${fraction}Z`;
}

/** RFC 3339 with exactly nine fraction digits: the prefix of `logs --timestamps`. */
export function formatTimeFixedNs(ns: bigint): string {
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, "0");
  return `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)}.${fraction}Z`;
}

/** Nanoseconds since 1970 of an RFC 3339 time, keeping all nine digits; undefined when it is none. */
export function parseTimeNs(text: string): bigint | undefined {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!parts) return undefined;
  const seconds = Date.parse(`${parts[1]}${parts[3]}`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1_000_000n + BigInt((parts[2] ?? "").padEnd(9, "0"));
}

/** What Docker shows for a time that has not come yet. */
export const zeroTime = "0001-01-01T00:00:00Z";
