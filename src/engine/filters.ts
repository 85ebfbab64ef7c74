import { invalidParameter } from "../errors/platform-error.ts";
import { parseDurationNs } from "../formats/duration.ts";

/** Docker's `filters` parameter: the wanted values of each key. engine-api, "Filters". */
export type Filters = ReadonlyMap<string, readonly string[]>;

export const noFilters: Filters = new Map();

/** Refuses keys that a list does not know. */
export function checkFilterKeys(filters: Filters, known: readonly string[]): void {
  for (const key of filters.keys()) {
    if (!known.includes(key)) throw invalidParameter(`invalid filter '${key}'`);
  }
}

/** True when the key is absent or one of its values satisfies `accepts`. */
export function anyMatches(filters: Filters, key: string, accepts: (value: string) => boolean): boolean {
  const values = filters.get(key);
  return values === undefined || values.length === 0 || values.some(accepts);
}

/** True when the key is absent or all of its values satisfy `accepts`. */
export function allMatch(filters: Filters, key: string, accepts: (value: string) => boolean): boolean {
  return (filters.get(key) ?? []).every(accepts);
}

/** A `label` filter: `key` or `key=value`. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf("=");
  if (at < 0) return Object.hasOwn(labels, wanted);
  const key = wanted.slice(0, at);
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(at + 1);
}

/** Names match by equality or as a regular expression, as Docker does it; a broken expression matches by equality only. */
export function matchesPattern(text: string, pattern: string): boolean {
  if (text === pattern) return true;
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}

/** A filter that says yes or no: undefined when absent. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters.get(key);
  if (values === undefined || values.length === 0) return undefined;
  const asked = new Set(values.map((value) => value.toLowerCase()));
  const yes = asked.has("1") || asked.has("true");
  const no = asked.has("0") || asked.has("false");
  if (yes === no) throw invalidParameter(`invalid filter '${key}=[${values.join(" ")}]'`);
  return yes;
}

/**
 * The limit of an `until` filter: a time as `parseTimestampNs` takes it, or a duration (`24h`) before now.
 * Errors: InvalidParameter.
 */
export function parseUntilNs(text: string, nowNs: bigint): bigint {
  const duration = /^[\d.-]+$/.test(text) ? undefined : parseDurationNs(text);
  return duration === undefined ? parseTimestampNs(text) : nowNs - BigInt(Math.round(duration));
}

/** Seconds since 1970, with optional fraction, or an RFC 3339 time; in nanoseconds. */
export function parseTimestampNs(text: string): bigint {
  const unix = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (unix) return BigInt(unix[1] ?? "0") * 1_000_000_000n + BigInt((unix[2] ?? "").padEnd(9, "0"));
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw invalidParameter(`invalid timestamp ${JSON.stringify(text)}`);
  return BigInt(ms) * 1_000_000n;
}
