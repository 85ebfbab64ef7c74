import { parseDurationNs } from "../../formats/duration.ts";

/**
 * `--since` and `--until`: Unix seconds (`1136073845.000000001`), RFC 3339 or a part of it (local time where no
 * zone is named), or a Go duration before now.
 * Out: what the Engine API takes, Unix seconds with optional nanoseconds.
 * Errors: Error naming the value.
 */
export function parseTimestamp(raw: string, nowMs: number): string {
  const duration = parseDurationNs(raw);
  if (duration !== undefined) return secondsText(nowMs - duration / 1e6);
  if (/^-?\d+(\.\d+)?$/.test(raw)) return raw;
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}(?::\d{2}(?::\d{2})?)?)(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(
    raw,
  );
  if (match === null) throw new Error(`failed to parse value as time or duration: ${JSON.stringify(raw)}`);
  const [, date, time = "00:00:00", fraction = "", zone = ""] = match;
  const atMs = Date.parse(`${date}T${`${time}:00:00`.slice(0, 8)}${zone}`);
  if (Number.isNaN(atMs))
    throw new Error(`failed to parse value as time or duration: ${JSON.stringify(raw)}`);
  return `${atMs / 1000}.${fraction.slice(1, 10).padEnd(9, "0")}`;
}

function secondsText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${seconds}.${String(Math.round((ms - seconds * 1000) * 1e6)).padStart(9, "0")}`;
}
