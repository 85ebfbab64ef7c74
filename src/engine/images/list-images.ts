import type { Image } from "../../core/images/contract.ts";
import { invalidParameter } from "../../errors/platform-error.ts";
import { parseTimeNs } from "../clock.ts";
import {
  allMatch,
  anyMatches,
  booleanFilter,
  checkFilterKeys,
  type Filters,
  hasLabel,
  parseTimestampNs,
} from "../filters.ts";
import { familiar } from "./familiar-names.ts";

const keys = ["dangling", "label", "label!", "before", "since", "reference", "until"];

/** The images that `images` shows, newest first. Errors: InvalidParameter for an unknown filter or image. */
export function listImages(
  images: readonly Image[],
  filters: Filters,
  find: (reference: string) => Image | undefined,
): Image[] {
  checkFilterKeys(filters, keys);
  const dangling = booleanFilter(filters, "dangling");
  const before = createdOf(filters, "before", find);
  const since = createdOf(filters, "since", find);
  const until = (filters.get("until") ?? []).map(parseTimestampNs);
  const accepts = (image: Image): boolean => {
    const created = createdNs(image);
    const labels = image.config.config.Labels ?? {};
    return (
      (dangling === undefined || dangling === (image.tags.length === 0)) &&
      (before === undefined || created < before) &&
      (since === undefined || created > since) &&
      until.every((limit) => created < limit) &&
      allMatch(filters, "label", (label) => hasLabel(labels, label)) &&
      allMatch(filters, "label!", (label) => !hasLabel(labels, label)) &&
      anyMatches(filters, "reference", (pattern) =>
        namesOf(image).some((name) => matchesReference(name, pattern)),
      )
    );
  };
  return images.filter(accepts).sort((a, b) => (createdNs(a) < createdNs(b) ? 1 : -1));
}

const createdNs = (image: Image): bigint => parseTimeNs(image.config.created ?? "") ?? 0n;

function createdOf(
  filters: Filters,
  key: string,
  find: (reference: string) => Image | undefined,
): bigint | undefined {
  const reference = filters.get(key)?.[0];
  if (reference === undefined) return undefined;
  const image = find(reference);
  if (!image) throw invalidParameter(`invalid filter '${key}=${reference}': no such image`);
  return createdNs(image);
}

const namesOf = (image: Image): string[] => [...image.tags, ...image.repoDigests].map(familiar);

/** A pattern with `*` and `?`, which do not match a slash, on the whole name or on the name without its tag. */
export function matchesReference(name: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^$()|{}\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  const expression = new RegExp(`^${source}$`);
  const at = name.indexOf("@");
  const colon = name.lastIndexOf(":");
  const repository =
    at >= 0 ? name.slice(0, at) : colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
  return expression.test(name) || expression.test(repository);
}
