import { invalidParameter } from "../../errors/platform-error.ts";
import { type DBusValue, type Variant, variant } from "../../kernel/dbus/values.ts";

/** Words in front of a value that say its type. */
const typeWords: Readonly<Record<string, string>> = {
  boolean: "b",
  byte: "y",
  int16: "n",
  uint16: "q",
  int32: "i",
  uint32: "u",
  int64: "x",
  uint64: "t",
  double: "d",
  string: "s",
  objectpath: "o",
  signature: "g",
};

const wideTypes = ["x", "t"];
const integerTypes = ["y", "n", "q", "i", "u", "x", "t"];
const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * Reads a value in GVariant's text format: booleans, numbers, strings, byte strings and arrays of them, with or without their type
 * in front (`uint64 5`, `@as []`). Pure. Dictionaries, tuples, variants and maybes, which no property of a unit
 * that a container may want has, are refused.
 *
 * Errors: InvalidParameter, in which the text is called `place`.
 * Spec:   GVariant Text Format (GLib).
 */
export function parseGVariant(text: string, place: string): Variant {
  const parser = new Parser(text, place);
  const value = parser.value(undefined);
  parser.expectEnd();
  return value;
}

class Parser {
  #rest: string;

  constructor(
    text: string,
    private readonly place: string,
  ) {
    this.#rest = text.trimStart();
  }

  /** `type` is the signature that stands in front, or that of the other elements. */
  value(type: string | undefined): Variant {
    const annotation = this.take(/^@([a-z]+)\s+/);
    if (annotation !== undefined) return this.value(annotation[1]);
    const word = this.take(/^([a-z]+[0-9]*)\s+(?=[^\s,\]])/)?.[1];
    if (word !== undefined) return this.value(typeWords[word] ?? this.fail());
    if (this.#rest.startsWith("[")) return this.array(type);
    if (/^b['"]/.test(this.#rest)) return this.byteString(type);
    if (/^['"]/.test(this.#rest)) return this.string(type);
    return this.take(/^(true|false)\b/) === undefined ? this.number(type) : this.boolean(type);
  }

  expectEnd(): void {
    if (this.#rest !== "") this.fail();
  }

  private array(type: string | undefined): Variant {
    if (type !== undefined && !type.startsWith("a")) this.fail();
    this.take(/^\[/);
    const items: DBusValue[] = [];
    let element = type?.slice(1);
    while (this.take(/^\]/) === undefined) {
      if (items.length > 0) this.take(/^,/) ?? this.fail();
      const item = this.value(element);
      if (element !== undefined && item.signature !== element) this.fail();
      element = item.signature;
      items.push(item.value);
    }
    if (element === undefined) this.fail("an empty array needs its type, as in @as []");
    return variant(`a${element}`, element === "y" ? Uint8Array.from(items as number[]) : items);
  }

  private boolean(type = "b"): Variant {
    if (type !== "b") this.fail();
    return variant("b", this.#taken.startsWith("true"));
  }

  private number(type: string | undefined): Variant {
    const digits = this.take(/^[+-]?(?:0x[0-9a-fA-F]+|[0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)/)?.[0] ?? this.fail();
    const isInteger = /^[+-]?(?:0x[0-9a-fA-F]+|[0-9]+)$/.test(digits);
    const wanted = type ?? (isInteger ? "i" : "d");
    if (wanted === "d") return variant("d", Number(digits));
    if (!isInteger || !integerTypes.includes(wanted)) this.fail();
    const magnitude = BigInt(digits.replace(/^[+-]/, ""));
    const value = digits.startsWith("-") ? -magnitude : magnitude;
    return variant(wanted, wideTypes.includes(wanted) ? value : Number(value));
  }

  private string(type = "s"): Variant {
    if (!["s", "o", "g"].includes(type)) this.fail();
    return variant(type, this.quoted());
  }

  /** With a NUL at its end. */
  private byteString(type = "ay"): Variant {
    if (type !== "ay") this.fail();
    this.#rest = this.#rest.slice(1);
    return variant("ay", Uint8Array.from(Buffer.from(`${this.quoted()}\0`, "latin1")));
  }

  private quoted(): string {
    const match = this.take(/^(?:'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\]|\\[\s\S])*)")/) ?? this.fail();
    return (match[1] ?? match[2] ?? "").replace(
      /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(\n)|([\s\S]))/g,
      (_, short?: string, long?: string, octal?: string, newline?: string, letter = "") => {
        const code = short ?? long;
        if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
        if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
        return newline === undefined ? (escapes[letter] ?? letter) : "";
      },
    );
  }

  #taken = "";

  private take(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.#rest);
    if (match === null) return undefined;
    this.#taken = match[0];
    this.#rest = this.#rest.slice(match[0].length).trimStart();
    return match;
  }

  private fail(why = `at ${JSON.stringify(this.#rest)}`): never {
    throw invalidParameter(`${this.place}: is no value in GVariant's text format: ${why}`, {
      hint: "booleans, numbers, strings and arrays of them: true, uint64 5, 'text', ['a', 'b']",
    });
  }
}
