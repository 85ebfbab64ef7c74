import { type Filters, parseTimestampNs } from "../../engine/filters.ts";
import { invalidParameter } from "../../errors/platform-error.ts";

const falseWords = new Set(["", "0", "no", "false", "none"]);

/** Docker's truth: everything but these words is true; `fallback` when the parameter is absent. */
export function booleanQuery(query: URLSearchParams, name: string, fallback = false): boolean {
  const value = query.get(name);
  return value === null ? fallback : !falseWords.has(value.trim().toLowerCase());
}

/** A whole number; undefined when absent or empty. */
export function integerQuery(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  if (!/^-?\d{1,15}$/.test(value)) {
    throw invalidParameter(`invalid value ${JSON.stringify(value)} for ${name}: not a whole number`);
  }
  return Number(value);
}

/** Height and width of a terminal: both are required. */
export function sizeQuery(query: URLSearchParams): { rows: number; columns: number } {
  return { rows: dimension(query, "h"), columns: dimension(query, "w") };
}

function dimension(query: URLSearchParams, name: "h" | "w"): number {
  const value = query.get(name) ?? "";
  if (/^\d{1,10}$/.test(value) && Number(value) < 2 ** 32) return Math.min(Number(value), 65535);
  throw invalidParameter(
    `invalid resize ${name === "h" ? "height" : "width"} ${JSON.stringify(value)}: not an unsigned 32-bit number`,
  );
}

/** Seconds since 1970 with optional fraction; undefined when absent, empty or 0 ("no limit" to Docker's clients). */
export function timestampQuery(query: URLSearchParams, name: string): bigint | undefined {
  const value = query.get(name);
  if (value === null || value === "" || value === "0") return undefined;
  return parseTimestampNs(value);
}

/** `{"key":{"value":true}}` of present clients or `{"key":["value"]}` of old ones. */
export function filtersQuery(query: URLSearchParams): Filters {
  const text = query.get("filters");
  if (text === null || text === "") return new Map();
  const parsed = parseObject(text);
  return new Map(Object.entries(parsed).map(([key, values]) => [key, filterValues(values)]));
}

function parseObject(text: string): object {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // the same message for broken JSON and for JSON of a wrong shape
  }
  throw invalidParameter("invalid filter");
}

function filterValues(values: unknown): string[] {
  if (Array.isArray(values) && values.every((value) => typeof value === "string")) return values;
  if (typeof values === "object" && values !== null && !Array.isArray(values)) {
    return Object.entries(values)
      .filter(([, wanted]) => wanted === true)
      .map(([value]) => value);
  }
  throw invalidParameter("invalid filter");
}
