/** How Go sees the values of a template: truth, printing, comparison. */

/** An object whose fields are computed when a template asks for them; methods take arguments. */
export interface FieldSource {
  /** Undefined: there is no such field. */
  field(name: string): unknown;
  /** For `{{json .}}`. */
  toJSON(): unknown;
}

export type Method = (...args: readonly unknown[]) => unknown;

export function isFieldSource(value: unknown): value is FieldSource {
  return isRecord(value) && typeof value.field === "function";
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Go's rule: false, 0, nil, and empty strings, lists and maps are false. */
export function isTruth(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isRecord(value) && !isFieldSource(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/**
 * Go's `%v`: `[a b]`, `map[k:v]`, `<no value>`. Within another value nothing but `{}` is known of an empty object: Docker's
 * are members of sets (`map[80/tcp:{}]`), whose type is an empty struct.
 */
export function printValue(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  return printNested(value);
}

function printNested(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(printNested).join(" ")}]`;
  if (!isRecord(value)) return String(value);
  const shown: unknown = isFieldSource(value) ? value.toJSON() : value;
  const pairs = Object.entries(isRecord(shown) ? shown : {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${pairs.map(([key, item]) => `${key}:${isEmptyObject(item) ? "{}" : printNested(item)}`).join(" ")}]`;
}

const isEmptyObject = (value: unknown): boolean =>
  isRecord(value) && !isFieldSource(value) && Object.keys(value).length === 0;
