import type { Image } from "../../core/images/contract.ts";
import { familiarReference, parseReference } from "../../formats/reference.ts";

/** `docker.io/library/busybox:latest` as users write it: `busybox:latest`. */
export const familiar = (reference: string): string => familiarReference(parseReference(reference));

export const familiarTags = (image: Image): readonly string[] => familiarNames(image.tags);
export const familiarDigests = (image: Image): readonly string[] => familiarNames(image.repoDigests);

/** By the list itself, which an image keeps as long as its names stay. */
const known = new WeakMap<readonly string[], readonly string[]>();

function familiarNames(references: readonly string[]): readonly string[] {
  const found = known.get(references) ?? references.map(familiar);
  known.set(references, found);
  return found;
}
