import type { CommandLine } from "./instruction.ts";

/** The JSON form, or else the text as it is: a `[` that begins no JSON array of strings belongs to the text. */
export function parseCommandLine(rest: string): CommandLine {
  if (rest === "") return { form: "exec", words: [] };
  const words = jsonWords(rest);
  return words === undefined ? { form: "shell", text: rest } : { form: "exec", words };
}

/** Undefined for anything but a JSON array of strings. */
export function jsonWords(rest: string): string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(rest);
    if (Array.isArray(value) && value.every((word) => typeof word === "string")) return value;
  } catch {
    // not JSON: the shell's business
  }
  return undefined;
}
