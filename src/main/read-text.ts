import { readFileSync } from "node:fs";
import { messageOf, systemError } from "../errors/platform-error.ts";

/** A file that an option names. Errors: System naming it. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw systemError(`read ${path}: ${messageOf(error)}`, { cause: error });
  }
}
