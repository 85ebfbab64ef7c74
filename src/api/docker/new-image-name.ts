import { invalidParameter } from "../../errors/platform-error.ts";
import {
  checkUnambiguous,
  parseReference,
  type Reference,
  withDefaultTag,
  withTag,
} from "../../formats/reference.ts";

/** The name of an image that is made, from `repo` and `tag`; undefined for none. Errors: InvalidParameter. */
export function newImageName(query: URLSearchParams): Reference | undefined {
  const repository = query.get("repo");
  if (!repository) return undefined;
  const parsed = parseReference(repository);
  const tag = query.get("tag");
  const named = tag ? withTag(parsed, tag) : withDefaultTag(parsed);
  checkUnambiguous(named);
  if (named.digest === undefined) return named;
  throw invalidParameter("cannot import digest reference", { code: "reference.digest" });
}
