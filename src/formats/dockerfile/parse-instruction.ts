import { dockerfileError } from "./dockerfile-error.ts";
import type { ConfigInstruction, ConfigInstructionName, Pair } from "./instruction.ts";
import type { EscapeCharacter } from "./logical-lines.ts";
import { jsonWords, parseCommandLine } from "./parse-command-line.ts";
import { parseHealthcheck } from "./parse-healthcheck.ts";

/** The name of an instruction in capitals, its flags `--name=value`, and the text behind them. */
export interface InstructionText {
  readonly name: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

/** Takes a logical line apart. */
export function splitInstruction(line: string): InstructionText {
  const [, name = "", text = ""] = /^(\S+)\s*([\s\S]*)$/.exec(line.trim()) ?? [];
  const flags: string[] = [];
  let rest = text;
  for (let found = flagOf(rest); found; found = flagOf(rest)) {
    rest = rest.slice(found.length).trimStart();
    if (found.trim() === "--") break;
    flags.push(found.trim());
  }
  return { name: name.toUpperCase(), flags, rest };
}

const flagOf = (text: string): string | undefined => /^--\S*(?:\s|$)/.exec(text)?.[0];

/**
 * Reads an instruction that changes the configuration alone. Variables stay as they are.
 * Errors: InvalidParameter in the words of Docker's builder.
 */
export function parseConfigInstruction(
  name: ConfigInstructionName,
  { flags, rest }: InstructionText,
  escapeWith: EscapeCharacter = "\\",
): ConfigInstruction {
  if (name === "HEALTHCHECK") return { name, healthcheck: parseHealthcheck(flags, rest) };
  const [flag] = flags;
  if (flag !== undefined) throw dockerfileError(`unknown flag: ${flag.replace(/^--|=.*$/g, "")}`);
  switch (name) {
    case "CMD":
    case "ENTRYPOINT":
      return { name, command: parseCommandLine(rest) };
    case "ENV":
    case "LABEL":
      return { name, pairs: parsePairs(name, rest, escapeWith) };
    case "EXPOSE":
      return { name, words: atLeastOne(name, rest.split(/\s+/).filter(Boolean)) };
    case "VOLUME":
      return { name, words: parseVolumes(rest) };
    case "USER":
    case "WORKDIR":
    case "STOPSIGNAL":
      if (rest === "") throw dockerfileError(`${name} requires exactly one argument`);
      return { name, word: rest };
    case "ONBUILD":
      return { name, trigger: parseTrigger(rest) };
    case "SHELL":
      return { name, words: parseShell(rest) };
  }
}

function parseVolumes(rest: string): readonly string[] {
  const words = atLeastOne("VOLUME", jsonWords(rest) ?? rest.split(/\s+/).filter(Boolean));
  if (words.some((word) => word.trim() === ""))
    throw dockerfileError("VOLUME specified can not be an empty string");
  return words;
}

function parseShell(rest: string): readonly string[] {
  const words = jsonWords(rest);
  if (words === undefined) throw dockerfileError("SHELL requires the arguments to be in JSON form");
  return atLeastOne("SHELL", words);
}

function parseTrigger(rest: string): string {
  const { name } = splitInstruction(rest);
  if (name === "") throw dockerfileError("ONBUILD requires at least one argument");
  if (name === "ONBUILD") throw dockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (name === "MAINTAINER" || name === "FROM")
    throw dockerfileError(`${name} isn't allowed as an ONBUILD trigger`);
  return rest;
}

function atLeastOne(name: string, words: readonly string[]): readonly string[] {
  if (words.length === 0) throw dockerfileError(`${name} requires at least one argument`);
  return words;
}

/** `name=value …`, or `name value` of old. */
function parsePairs(name: "ENV" | "LABEL", rest: string, escapeWith: EscapeCharacter): Pair[] {
  const words = atLeastOne(name, splitQuoted(rest, escapeWith));
  if (!words[0]?.includes("=")) {
    const [, key = "", value] = /^(\S+)\s+([\s\S]*)$/.exec(rest) ?? [];
    if (value === undefined) throw dockerfileError(`${name} must have two arguments`);
    return [[key, value]];
  }
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 0) {
      throw dockerfileError(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    }
    if (equals === 0) throw dockerfileError(`${name} names can not be blank`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** Cuts at white space outside quotes; quotes and escapes stay. */
function splitQuoted(text: string, escapeWith: EscapeCharacter): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const next = text.charAt(at);
    if (quote === "" && /\s/.test(next)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    word += next;
    // Within single quotes the escape character is an ordinary one.
    if (next === escapeWith && quote !== "'") word += text.charAt(++at);
    else if (quote === "" && (next === '"' || next === "'")) quote = next;
    else if (next === quote) quote = "";
  }
  if (word !== "") words.push(word);
  return words;
}
