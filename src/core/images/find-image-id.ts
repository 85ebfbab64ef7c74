import { invalidParameter, notFound, type PlatformError } from "../../errors/platform-error.ts";
import { type Digest, digestHex } from "../../formats/digest.ts";
import {
  canonicalReference,
  familiarReference,
  parseImageName,
  type Reference,
  repositoryName,
  withDefaultTag,
  withDigest,
} from "../../formats/reference.ts";

/**
 * Finds the id of the image that `given` means: a name first, then an id or the beginning of one.
 * Undefined if there is none.
 *
 * Errors: InvalidParameter for a broken reference, and for a beginning that several ids have.
 */
export function findImageId(
  given: string,
  ids: Iterable<Digest>,
  idOfName: (canonical: string) => Digest | undefined,
): Digest | undefined {
  const name = parseImageName(given);
  if (name.kind === "id") return [...ids].find((id) => id === name.digest);
  const named = idOfName(lookupName(name.reference));
  if (named !== undefined) return named;
  const matches = [...ids].filter((id) => isShortIdOf(given, id));
  if (matches.length > 1) {
    throw invalidParameter(`image id ${given} is ambiguous: ${matches.length} images begin with it`, {
      hint: "write more digits of the id",
      code: "image.ambiguous",
    });
  }
  return matches[0];
}

/** The name as it is stored: with a digest the tag says nothing. */
export function lookupName(reference: Reference): string {
  if (reference.digest !== undefined) return `${repositoryName(reference)}@${reference.digest}`;
  return canonicalReference(withDefaultTag(reference));
}

function isShortIdOf(given: string, id: Digest): boolean {
  return (
    /^(sha256:|sha512:)?[0-9a-f]+$/.test(given) && (id.startsWith(given) || digestHex(id).startsWith(given))
  );
}

/** The error for `given`, in Docker's words. */
export function noSuchImage(given: string): PlatformError {
  const name = parseImageName(given);
  const shown = name.kind === "id" ? name.digest : shownName(name.reference);
  return notFound(`No such image: ${shown}`, {
    hint: "list the images with `images`, or pull it",
    code: "image.missing",
  });
}

function shownName(reference: Reference): string {
  return familiarReference(
    reference.digest === undefined ? withDefaultTag(reference) : withDigest(reference, reference.digest),
  );
}
