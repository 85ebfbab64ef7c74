/** The functions of templates: Go's predefined ones and those that Docker adds. */
import { TemplateError } from "./lex.ts";
import { isFieldSource, isRecord, isTruth, type Method, printValue } from "./values.ts";

const text = (value: unknown): string => (typeof value === "string" ? value : printValue(value));

export const templateFunctions: Readonly<Record<string, Method>> = {
  json: (value) => JSON.stringify(value ?? null),
  split: (value, separator) => text(value).split(text(separator)),
  join: (values, separator) => asList(values, "join").map(text).join(text(separator)),
  title: (value) =>
    text(value).replace(/(^|\s)(\S)/g, (_, space: string, letter: string) => space + letter.toUpperCase()),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) =>
    text(value) === "" ? "" : " ".repeat(Number(before)) + text(value) + " ".repeat(Number(after)),
  padlen: (value, length) => text(value).padEnd(Number(length)),
  truncate: (value, length) => [...text(value)].slice(0, Number(length)).join(""),
  println: (...values) => `${values.map(text).join(" ")}\n`,
  print: (...values) => values.reduce<string>(printAfter, ""),
  printf: (format, ...values) => printf(text(format), values),
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce(indexOnce, value),
  slice: (value, from = 0, to = lengthOf(value)) =>
    (typeof value === "string" ? value : asList(value, "slice")).slice(Number(from), Number(to)),
  not: (value) => !isTruth(value),
  and: (...values) => values.find((value) => !isTruth(value)) ?? values.at(-1),
  or: (...values) => values.find(isTruth) ?? values.at(-1),
  eq: (first, ...others) => others.some((other) => compare(first, other) === 0),
  ne: (a, b) => compare(a, b) !== 0,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  html: (value) => text(value).replace(/[&<>"']/g, (letter) => entities[letter] ?? letter),
  js: (value) => [...text(value)].map(escapedInScript).join(""),
  urlquery: (value) => encodeURIComponent(text(value)).replaceAll("%20", "+"),
};

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

function escapedInScript(letter: string): string {
  if ("\\'\"".includes(letter)) return `\\${letter}`;
  if (letter >= " " && !"<>&=".includes(letter)) return letter;
  return `\\u${letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Go's Print puts a space between two values of which neither is a string. */
function printAfter(before: string, value: unknown, index: number, values: readonly unknown[]): string {
  const isApart = index > 0 && typeof value !== "string" && typeof values[index - 1] !== "string";
  return before + (isApart ? " " : "") + text(value);
}

function asList(value: unknown, name: string): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new TemplateError(`error calling ${name}: not a list: ${printValue(value)}`);
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isRecord(value) && !isFieldSource(value)) return Object.keys(value).length;
  throw new TemplateError(`error calling len: len of ${printValue(value)}`);
}

function indexOnce(value: unknown, key: unknown): unknown {
  if (value === null || value === undefined)
    throw new TemplateError("error calling index: index of untyped nil");
  if (Array.isArray(value) || typeof value === "string") {
    const at = Number(key);
    if (!Number.isInteger(at) || at < 0 || at >= value.length) {
      throw new TemplateError(`error calling index: index out of range: ${printValue(key)}`);
    }
    return value[at];
  }
  if (isRecord(value)) return value[text(key)] ?? "";
  throw new TemplateError(`error calling index: can't index item of type ${typeof value}`);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a !== typeof b && a !== null && b !== null) {
    throw new TemplateError("error calling eq: incompatible types for comparison");
  }
  if (a === b) return 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return printValue(a) < printValue(b) ? -1 : printValue(a) > printValue(b) ? 1 : 0;
}

/** The verbs of fmt.Printf that are of use with JSON values. */
function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(
    /%(-?)(0?)(\d*)(?:\.(\d+))?([vsdqtfgx%])/g,
    (_, left, zero, width, precision, verb: string) => {
      if (verb === "%") return "%";
      const shown = printVerb(verb, values[next++], precision === undefined ? undefined : Number(precision));
      return left === "-"
        ? shown.padEnd(Number(width))
        : shown.padStart(Number(width), zero === "0" ? "0" : " ");
    },
  );
}

function printVerb(verb: string, value: unknown, precision: number | undefined): string {
  if (verb === "q") return JSON.stringify(text(value));
  if (verb === "f") return Number(value).toFixed(precision ?? 6);
  if (verb === "x")
    return typeof value === "number" ? value.toString(16) : Buffer.from(text(value)).toString("hex");
  return precision === undefined || verb !== "s" ? text(value) : text(value).slice(0, precision);
}
