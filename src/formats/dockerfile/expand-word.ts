import { dockerfileError } from "./dockerfile-error.ts";
import type { EscapeCharacter } from "./logical-lines.ts";

/** The value of a variable; undefined when it is not set. */
export type Variables = (name: string) => string | undefined;

/**
 * A word of an instruction without its quotes, and with its variables replaced.
 * Spec: Dockerfile reference, "Environment replacement". Errors: InvalidParameter for an open quote or a bad `${…}`.
 */
export function expandWord(word: string, variables: Variables, escapeWith: EscapeCharacter = "\\"): string {
  return new Expansion(word, variables, escapeWith).all().text;
}

/** As expandWord, but white space that is not quoted, also in the value of a variable, makes several words. */
export function expandToWords(
  word: string,
  variables: Variables,
  escapeWith: EscapeCharacter = "\\",
): string[] {
  return new Expansion(word, variables, escapeWith).all().words;
}

/** Collects a text, and the words that white space cuts it into. */
class Pieces {
  text = "";
  readonly words: string[] = [];
  #word: string | undefined;

  /** Quoted or escaped: never a place to cut. */
  addQuoted(text: string): void {
    this.text += text;
    this.#word = (this.#word ?? "") + text;
  }

  add(text: string): void {
    this.text += text;
    for (const part of text.split(/(\s+)/)) {
      if (/^\s+$/.test(part)) this.endWord();
      else if (part !== "") this.#word = (this.#word ?? "") + part;
    }
  }

  endWord(): void {
    if (this.#word !== undefined) this.words.push(this.#word);
    this.#word = undefined;
  }
}

class Expansion {
  #at = 0;

  constructor(
    private readonly source: string,
    private readonly variables: Variables,
    private readonly escapeWith: EscapeCharacter,
  ) {}

  all(): Pieces {
    const pieces = this.#until("", false);
    pieces.endWord();
    return pieces;
  }

  /** Up to `end`, which is taken; `keepEscapes` for patterns, which have escapes of their own. */
  #until(end: string, keepEscapes: boolean): Pieces {
    const pieces = new Pieces();
    for (let next = this.#take(); next !== ""; next = this.#take()) {
      if (next === end) return pieces;
      if (next === "'") pieces.addQuoted(this.#singleQuoted());
      else if (next === '"') pieces.addQuoted(this.#doubleQuoted());
      else if (next === "$") pieces.add(this.#dollar());
      else if (next !== this.escapeWith) pieces.add(next);
      else pieces.addQuoted((keepEscapes ? next : "") + this.#take());
    }
    if (end !== "") throw dockerfileError(`syntax error: missing '${end}'`);
    return pieces;
  }

  #singleQuoted(): string {
    const end = this.source.indexOf("'", this.#at);
    if (end < 0) throw openQuote("single");
    const text = this.source.slice(this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(): string {
    let text = "";
    for (let next = this.#take(); next !== ""; next = this.#take()) {
      if (next === '"') return text;
      if (next === "$") text += this.#dollar();
      else if (next !== this.escapeWith) text += next;
      else {
        const escaped = this.#take();
        text += ['"', "$", this.escapeWith].includes(escaped) ? escaped : next + escaped;
      }
    }
    throw openQuote("double");
  }

  #dollar(): string {
    if (this.#peek() === "{") {
      this.#take();
      return this.#braced();
    }
    const name = this.#name();
    return name === "" ? "$" : (this.variables(name) ?? "");
  }

  #braced(): string {
    if (this.#peek() === "") throw dockerfileError("syntax error: missing '}'");
    if ("{}:".includes(this.#peek())) throw dockerfileError("syntax error: bad substitution");
    const name = this.#name();
    const value = this.variables(name);
    let operator = this.#take();
    if (operator === "}") return value ?? "";
    if (operator === "") throw dockerfileError("syntax error: missing '}'");
    if (operator === ":") operator += this.#take();
    switch (operator.at(-1)) {
      case "-":
        return isUnset(value, operator) ? this.#until("}", false).text : this.#skip(value);
      case "+":
        return isUnset(value, operator) ? this.#skip("") : this.#until("}", false).text;
      case "?":
        return this.#required(name, value, operator);
      case "#":
      case "%":
        if (operator.length === 1) return this.#trimmed(value ?? "", operator);
        break;
      case "/":
        if (operator.length === 1) return this.#replaced(value ?? "");
        break;
    }
    throw dockerfileError(`unsupported modifier (${operator}) in substitution`);
  }

  /** The rest of the braces says nothing, but has to be well formed. */
  #skip(value: string | undefined): string {
    this.#until("}", false);
    return value ?? "";
  }

  #required(name: string, value: string | undefined, operator: string): string {
    const { text } = this.#until("}", false);
    if (!isUnset(value, operator)) return value ?? "";
    const why = value === undefined ? "is not allowed to be unset" : "is not allowed to be empty";
    throw dockerfileError(`${name}: ${text || why}`);
  }

  #trimmed(value: string, operator: string): string {
    const isGreedy = this.#peek() === operator;
    if (isGreedy) this.#take();
    const pattern = globSource(this.#until("}", true).text, isGreedy);
    if (operator === "#") return value.replace(new RegExp(`^${pattern}`, "s"), "");
    const suffix = new RegExp(`^${pattern}$`, "s");
    const lengths = Array.from({ length: value.length + 1 }, (_, index) => index);
    const cut = (isGreedy ? lengths : lengths.reverse()).find((at) => suffix.test(value.slice(at)));
    return cut === undefined ? value : value.slice(0, cut);
  }

  #replaced(value: string): string {
    const isGlobal = this.#peek() === "/";
    if (isGlobal) this.#take();
    const pattern = globSource(this.#until("/", true).text, true);
    const replacement = this.#until("}", false).text;
    return value.replace(new RegExp(pattern, isGlobal ? "gs" : "s"), () => replacement);
  }

  #name(): string {
    const match = /^(?:\d+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(this.source.slice(this.#at));
    this.#at += match?.[0].length ?? 0;
    return match?.[0] ?? "";
  }

  #peek(): string {
    return this.source.charAt(this.#at);
  }

  /** The next character; empty at the end. */
  #take(): string {
    return this.source.charAt(this.#at++);
  }
}

/** With a colon an empty value counts as none. */
const isUnset = (value: string | undefined, operator: string): boolean =>
  value === undefined || (operator.startsWith(":") && value === "");

/** `*`, `?` and escaped characters as a regular expression. */
function globSource(glob: string, isGreedy: boolean): string {
  return glob.replace(/\\(.)|[\s\S]/g, (part: string, escaped: string | undefined) => {
    if (part === "*") return isGreedy ? ".*" : ".*?";
    if (part === "?") return ".";
    return (escaped ?? part).replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  });
}

const openQuote = (kind: "single" | "double") =>
  dockerfileError(`unexpected end of statement while looking for matching ${kind}-quote`);
