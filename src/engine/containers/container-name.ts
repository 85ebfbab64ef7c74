import { randomInt } from "node:crypto";
import { invalidParameter } from "../../errors/platform-error.ts";
import { adjectives, surnames } from "./name-words.ts";

/** Docker wants two characters at least; a single letter harms nobody, and people use it. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** A user's name without its optional leading slash; InvalidParameter with Docker's wording otherwise. */
export function parseContainerName(given: string): string {
  const name = given.startsWith("/") ? given.slice(1) : given;
  if (namePattern.test(name)) return name;
  throw invalidParameter(`Invalid container name (${given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

/** `adjective_surname`, with a number behind it once the plain ones seem to be in use. */
export function randomName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const base = `${pick(adjectives)}_${pick(surnames)}`;
    const name = attempt < 6 ? base : `${base}${randomInt(10 ** Math.min(9, attempt - 5))}`;
    if (!isTaken(name)) return name;
  }
}

const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? "";
