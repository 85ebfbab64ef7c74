import { familiarName, parseReference, withDefaultTag } from "../formats/reference.ts";
import { CommandError } from "./command-error.ts";

/** The parameters that name an image which the engine makes. Errors: InvalidParameter, CommandError for a digest. */
export function newImageQuery(name: string | undefined): { repo?: string; tag?: string | undefined } {
  if (name === undefined) return {};
  const reference = withDefaultTag(parseReference(name));
  if (reference.digest !== undefined)
    throw new CommandError("cannot use a digest as the name of a new image");
  return { repo: familiarName(reference), tag: reference.tag };
}
