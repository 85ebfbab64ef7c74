/** The kinds of flags that commands are declared with. */
import type { Flag } from "./flags.ts";
import { parseSize } from "./values/size.ts";

interface Extra {
  readonly short?: string;
  readonly hidden?: true;
}

export function bool(help: string, extra: Extra & { readonly initial?: boolean } = {}): Flag<boolean> {
  const { initial = false, ...rest } = extra;
  return {
    help,
    initial,
    implied: "true",
    parse: parseBool,
    ...(initial ? { shownDefault: "true" } : {}),
    ...rest,
  };
}

export function text(help: string, extra: Extra & { readonly type?: string } = {}): Flag<string | undefined> {
  return { help, initial: undefined, type: "string", parse: (raw) => raw, ...extra };
}

export function textWithDefault(help: string, initial: string, extra: Extra = {}): Flag<string> {
  return {
    help,
    initial,
    shownDefault: JSON.stringify(initial),
    type: "string",
    parse: (raw) => raw,
    ...extra,
  };
}

export function integer(help: string, extra: Extra = {}): Flag<number | undefined> {
  return { help, initial: undefined, type: "int", parse: parseInteger, ...extra };
}

export function bytes(help: string, extra: Extra = {}): Flag<number | undefined> {
  return { help, initial: undefined, type: "bytes", parse: parseSize, ...extra };
}

/** Repeatable; `check` may normalise or refuse each value. */
export function list(
  help: string,
  extra: Extra & { readonly type?: string; readonly check?: (raw: string) => string } = {},
): Flag<readonly string[]> {
  const { check = (raw: string) => raw, ...rest } = extra;
  return { help, initial: [], type: "list", parse: (raw, previous) => [...previous, check(raw)], ...rest };
}

/** Repeatable, with values of its own type. */
export function parsedList<T>(
  help: string,
  type: string,
  parse: (raw: string) => T,
  extra: Extra = {},
): Flag<readonly T[]> {
  return { help, initial: [], type, parse: (raw, previous) => [...previous, parse(raw)], ...extra };
}

export function parsed<T>(
  help: string,
  type: string,
  parse: (raw: string) => T,
  extra: Extra = {},
): Flag<T | undefined> {
  return { help, initial: undefined, type, parse: (raw) => parse(raw), ...extra };
}

/** A flag of Docker's that this version refuses by name; `type` undefined for one without a value. */
export function notBuilt(type?: string, short?: string): Flag<undefined> {
  return {
    help: "",
    initial: undefined,
    notBuilt: true,
    hidden: true,
    parse: () => undefined,
    ...(type === undefined ? { implied: "true" } : { type }),
    ...(short === undefined ? {} : { short }),
  };
}

/** `ps --filter`, `events --filter`: `key=value`, repeatable; the engine knows the keys. */
export function filters(
  help = "Show only what matches (key=value)",
  extra: Extra = { short: "f" },
): Flag<readonly (readonly [string, string])[]> {
  const parse = (raw: string): readonly [string, string] => {
    const equals = raw.indexOf("=");
    if (equals < 0) throw new Error("invalid filter: must be in format of name=value");
    return [raw.slice(0, equals).trim().toLowerCase(), raw.slice(equals + 1).trim()];
  };
  return parsedList(help, "filter", parse, extra);
}

/** The `filters` parameter of the Engine API; undefined when there are none. */
export function encodeFilters(pairs: readonly (readonly [string, string])[]): string | undefined {
  if (pairs.length === 0) return undefined;
  const encoded: Record<string, Record<string, true>> = {};
  for (const [key, value] of pairs) {
    encoded[key] ??= {};
    Object.assign(encoded[key], { [value]: true });
  }
  return JSON.stringify(encoded);
}

const truths = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const falsehoods = new Set(["0", "f", "F", "FALSE", "false", "False"]);

function parseBool(raw: string): boolean {
  if (truths.has(raw)) return true;
  if (falsehoods.has(raw)) return false;
  throw new Error(`${JSON.stringify(raw)} is neither true nor false`);
}

export function parseInteger(raw: string): number {
  const value = /^[+-]?\d+$/.test(raw) ? Number(raw) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new Error(`${JSON.stringify(raw)} is not a whole number`);
  return value;
}
