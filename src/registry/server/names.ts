import { type Digest, isDigest } from "../../formats/digest.ts";
import { refusal } from "./registry-error.ts";

/** Distribution-spec, "Pulling manifests": the grammar of names and tags. */
const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryName = new RegExp(`^${component}(?:/${component})*$`);
const tagName = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const maxNameLength = 255;

/** Errors: NAME_INVALID. What it lets through has no `.`, `..` or empty component: it may be part of a path. */
export function checkRepositoryName(name: string): string {
  if (isRepositoryName(name)) return name;
  throw refusal("NAME_INVALID", `invalid repository name: ${name}`);
}

export function isRepositoryName(text: string): boolean {
  return text.length <= maxNameLength && repositoryName.test(text);
}

export function isTag(text: string): boolean {
  return tagName.test(text);
}

/** Errors: DIGEST_INVALID, also for an algorithm other than sha256 and sha512. */
export function checkDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw refusal("DIGEST_INVALID", `not a sha256 or sha512 digest: ${text}`);
}
