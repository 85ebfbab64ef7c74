import { invalidParameter } from "../errors/platform-error.ts";

/**
 * Readers that turn parsed JSON of unknown shape into a type, once, at the edge (`readJson`, `entry`). They throw Misfit, to which those
 * around add where it was: composing the place of each value beforehand takes longer than looking at it.
 */
export type Reader<T> = (value: unknown) => T;

/** A reader for each property of `T`; readers of optional ones are not called for an absent or null value. */
type Readers<T> = { readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>> };

/** A value that is not what it should be. */
export class Misfit extends Error {
  /** As people write it: `linux.resources.memory.limit`, `mounts[2].destination`. */
  place = "";

  /** Out: this, one step farther out: `.name` or `[3]`. */
  within(step: string): this {
    this.place = step + this.place;
    return this;
  }
}

const kindOf = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "an array"
      : typeof value === "object"
        ? "an object"
        : typeof value === "bigint"
          ? String(value)
          : (JSON.stringify(value) ?? typeof value);

export const unexpected = (expected: string, value: unknown) =>
  new Misfit(`expected ${expected}, got ${kindOf(value)}`);

export const string: Reader<string> = (value) => {
  if (typeof value !== "string") throw unexpected("a string", value);
  // A NUL would silently end a path, an argument or a name at the kernel's side.
  if (value.includes("\0")) throw new Misfit("contains a NUL byte");
  return value;
};

export const boolean: Reader<boolean> = (value) => {
  if (typeof value !== "boolean") throw unexpected("true or false", value);
  return value;
};

/** An integer of at most 53 bits within both bounds. */
export const integer =
  (minimum: number, maximum: number): Reader<number> =>
  (value) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < minimum || value > maximum)
      throw unexpected(`an integer from ${minimum} to ${maximum}`, value);
    return value;
  };

export const uint16 = integer(0, 0xffff);
export const uint32 = integer(0, 0xffff_ffff);
export const int32 = integer(-0x8000_0000, 0x7fff_ffff);
/** As far as a double is exact. */
export const safeInteger = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

const integer64 =
  (minimum: bigint, maximum: bigint, name: string): Reader<number | bigint> =>
  (value) => {
    if (typeof value === "bigint" && value >= minimum && value <= maximum) return value;
    if (Number.isSafeInteger(value) && (value as number) >= Number(minimum)) return value as number;
    throw unexpected(name, value);
  };

export const uint64 = integer64(0n, (1n << 64n) - 1n, "an unsigned 64-bit integer");
export const int64 = integer64(-(1n << 63n), (1n << 63n) - 1n, "a signed 64-bit integer");

export const oneOf = <T extends string>(words: readonly T[]): Reader<T> => {
  const known: ReadonlySet<unknown> = new Set(words);
  return (value) => {
    if (!known.has(value)) throw unexpected(`one of ${words.join(", ")}`, value);
    return value as T;
  };
};

export const array =
  <T>(item: Reader<T>): Reader<readonly T[]> =>
  (value) => {
    if (!Array.isArray(value)) throw unexpected("an array", value);
    const items: T[] = [];
    try {
      for (const element of value) items.push(item(element));
    } catch (error) {
      throw at(`[${items.length}]`, error);
    }
    return items;
  };

/** An object with any property names, all of one type. */
export const record =
  <T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value) => {
    const read = ([key, element]: [string, unknown]): [string, T] => {
      try {
        return [key, item(element)];
      } catch (error) {
        throw at(`[${JSON.stringify(key)}]`, error);
      }
    };
    return Object.fromEntries(Object.entries(properties(value)).map(read));
  };

/** An object with the properties of `T`. Others are dropped; an optional one that is null counts as absent. */
export function object<T extends object>(
  readers: Readers<T>,
  required: readonly (keyof T & string)[] = [],
): Reader<T> {
  const known = Object.entries<Reader<unknown>>(readers).map(([key, read]) => ({ key, read }));
  return (value) => {
    const source = properties(value);
    const result: Partial<Record<string, unknown>> = {};
    for (const key of required)
      if (source[key] === undefined || source[key] === null) throw at(`.${key}`, new Misfit("is missing"));
    let reading = "";
    try {
      for (const { key, read } of known) {
        reading = key;
        const element = source[key];
        if (element !== undefined && element !== null) result[key] = read(element);
      }
    } catch (error) {
      throw at(`.${reading}`, error);
    }
    return result as T;
  };
}

function properties(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw unexpected("an object", value);
  return value as Record<string, unknown>;
}

const at = (step: string, error: unknown): unknown => (error instanceof Misfit ? error.within(step) : error);

/**
 * The way in from outside: reads a value that stands at `place` of a request or document.
 *
 * Errors: InvalidParameter naming the place of the value that does not fit.
 */
export const entry =
  <T>(read: Reader<T>) =>
  (value: unknown, place: string): T => {
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      const { place: inside, message } = error.within(place);
      throw invalidParameter(`${inside.replace(/^\./, "") || "the document"}: ${message}`);
    }
  };

/**
 * Reads a document, with integers beyond 2^53 as bigints. JSON.parse rounds such an integer, and no reader takes the result; to ask
 * for the text of each value takes far longer than to read it.
 *
 * Errors: InvalidParameter for text that is no JSON, naming `what`, and as `entry`.
 */
export function readJson<T>(text: string, what: string, read: Reader<T>): T {
  const parsed = parseJson(text, what);
  try {
    return read(parsed);
  } catch {
    return entry(read)(parseJson(text, what, exactInteger), "");
  }
}

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

function parseJson(text: string, what: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    throw invalidParameter(`${what}: not valid JSON: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

const exactInteger: Reviver = (_key, value, context) => {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
};
