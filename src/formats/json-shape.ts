import { invalidParameter } from "../errors/platform-error.ts";

/**
 * Readers that turn parsed JSON of unknown shape into a type, once, at the edge. Each gets the value and the place it
 * stands at, as people write it (`linux.resources.memory.limit`, `mounts[2].destination`), and throws InvalidParameter
 * naming that place and what was expected there.
 */
export type Reader<T> = (value: unknown, path: string) => T;

/** A reader for each property of `T`; readers of optional ones are not called for an absent or null value. */
type Readers<T> = { readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>> };

const kindOf = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "an array"
      : typeof value === "object"
        ? "an object"
        : (JSON.stringify(value) ?? typeof value);

export const malformed = (path: string, expected: string, value: unknown) =>
  invalidParameter(
    `${path || "the document"}: expected ${expected}, got ${typeof value === "bigint" ? String(value) : kindOf(value)}`,
  );

export const string: Reader<string> = (value, path) => {
  if (typeof value !== "string") throw malformed(path, "a string", value);
  // A NUL would silently end a path, an argument or a name at the kernel's side.
  if (value.includes("\0")) throw invalidParameter(`${path}: contains a NUL byte`);
  return value;
};

export const boolean: Reader<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw malformed(path, "true or false", value);
  return value;
};

/** An integer of at most 53 bits within both bounds. */
export const integer =
  (minimum: number, maximum: number): Reader<number> =>
  (value, path) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < minimum || value > maximum)
      throw malformed(path, `an integer from ${minimum} to ${maximum}`, value);
    return value;
  };

export const uint16 = integer(0, 0xffff);
export const uint32 = integer(0, 0xffff_ffff);
export const int32 = integer(-0x8000_0000, 0x7fff_ffff);
/** As far as a double is exact. */
export const safeInteger = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

const integer64 =
  (minimum: bigint, maximum: bigint, name: string): Reader<number | bigint> =>
  (value, path) => {
    if (typeof value === "bigint" && value >= minimum && value <= maximum) return value;
    if (Number.isSafeInteger(value) && (value as number) >= Number(minimum)) return value as number;
    throw malformed(path, name, value);
  };

export const uint64 = integer64(0n, (1n << 64n) - 1n, "an unsigned 64-bit integer");
export const int64 = integer64(-(1n << 63n), (1n << 63n) - 1n, "a signed 64-bit integer");

export const oneOf =
  <T extends string>(words: readonly T[]): Reader<T> =>
  (value, path) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw malformed(path, `one of ${words.join(", ")}`, value);
    return word;
  };

export const array =
  <T>(item: Reader<T>): Reader<readonly T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw malformed(path, "an array", value);
    return value.map((element: unknown, index) => item(element, `${path}[${index}]`));
  };

/** An object with any property names, all of one type. */
export const record =
  <T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, path) => {
    const source = properties(value, path);
    return Object.fromEntries(
      Object.entries(source).map(([key, element]) => [key, item(element, `${path}[${JSON.stringify(key)}]`)]),
    );
  };

/** An object with the properties of `T`. Others are dropped; an optional one that is null counts as absent. */
export function object<T extends object>(
  readers: Readers<T>,
  required: readonly (keyof T & string)[] = [],
): Reader<T> {
  const known = Object.entries<Reader<unknown>>(readers);
  return (value, path) => {
    const source = properties(value, path);
    const result: Partial<Record<string, unknown>> = {};
    for (const key of required)
      if (source[key] === undefined || source[key] === null)
        throw invalidParameter(`${join(path, key)}: is missing`);
    for (const [key, read] of known) {
      const element = source[key];
      if (element !== undefined && element !== null) result[key] = read(element, join(path, key));
    }
    return result as T;
  };
}

function properties(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(path, "an object", value);
  return value as Record<string, unknown>;
}

const join = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);

/**
 * JSON.parse which keeps integers exact: one beyond 2^53 becomes a bigint.
 * Errors: InvalidParameter for text that is no JSON, naming `what`.
 */
export function parseJsonExactly(text: string, what: string): unknown {
  try {
    // Calling back for each value takes longer than everything else, and integers beyond 2^53 have 16 digits or more.
    return /\d{16}/.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
  } catch (error) {
    throw invalidParameter(`${what}: not valid JSON: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function exactInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
