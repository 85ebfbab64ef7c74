/**
 * What the interpreter lacks of JSON: `JSON.rawJSON`, and the `source` of integers for a reviver (ECMAScript proposal
 * "JSON.parse source text access"). Both are for integers beyond 2^53, which hardly any configuration has.
 */
const native = { parse: JSON.parse, stringify: JSON.stringify };

type Replacer = (this: unknown, key: string, value: unknown) => unknown;
type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

/** From Unicode's private use, at which no number begins. */
const MARK = "\uE000";
const marked = new RegExp(`"${MARK}(-?\\d+)"`, "g");
const stringsAndLongIntegers = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

class RawJson {
  constructor(readonly text: string) {}
}

export function stringify(value: unknown, replacer: unknown, space?: string | number): string {
  if (typeof replacer !== "function") return native.stringify(value, replacer as null, space);
  const replace: Replacer = function (key, element) {
    const replaced: unknown = (replacer as Replacer).call(this, key, element);
    return replaced instanceof RawJson ? MARK + replaced.text : replaced;
  };
  return native.stringify(value, replace, space).replace(marked, "$1");
}

export function parse(text: string, reviver?: Reviver): unknown {
  if (reviver === undefined) return native.parse(text);
  const withMarks = text.replace(stringsAndLongIntegers, (found) =>
    found.startsWith('"') ? found : `"${MARK}${found}"`,
  );
  return native.parse(withMarks, function (this: unknown, key: string, value: unknown) {
    const source = typeof value === "string" && value.startsWith(MARK) ? value.slice(MARK.length) : undefined;
    return source === undefined
      ? reviver.call(this, key, value, {})
      : reviver.call(this, key, Number(source), { source });
  });
}

export const rawJSON = (text: string): RawJson => new RawJson(text);
