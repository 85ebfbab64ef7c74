import type { Image } from "../../core/images/contract.ts";
import { invalidParameter } from "../../errors/platform-error.ts";
import { nowNs } from "../clock.ts";
import {
  allMatch,
  booleanFilter,
  checkFilterKeys,
  type Filters,
  hasLabel,
  parseUntilNs,
} from "../filters.ts";
import { createdNs } from "./created.ts";
import { familiar } from "./familiar-names.ts";

const keys = ["dangling", "label", "label!", "before", "since", "reference", "until"];

/**
 * The images that `images` shows, newest first; with a filter by reference only with the names that match.
 * Errors: InvalidParameter for an unknown filter or image.
 */
export function listImages(
  images: readonly Image[],
  filters: Filters,
  find: (reference: string) => Image | undefined,
): Image[] {
  checkFilterKeys(filters, keys);
  const dangling = booleanFilter(filters, "dangling");
  const before = createdOf(filters, "before", find);
  const since = createdOf(filters, "since", find);
  const until = (filters.get("until") ?? []).map((text) => parseUntilNs(text, nowNs()));
  const patterns = filters.get("reference")?.map(referencePattern);
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
      (patterns === undefined || namesOf(image).some((name) => patterns.some((fits) => fits(name))))
    );
  };
  const found = images.filter(accepts).sort(newestFirst);
  if (patterns === undefined) return found;
  const shownNames = (names: readonly string[]) =>
    names.filter((name) => patterns.some((fits) => fits(familiar(name))));
  return found.map((image) => ({
    ...image,
    tags: shownNames(image.tags),
    repoDigests: shownNames(image.repoDigests),
  }));
}

/** Those of one moment (commonly the epoch, of reproducible builds) by name. */
const newestFirst = (a: Image, b: Image): number =>
  Number(createdNs(b) - createdNs(a)) || (nameOf(a) < nameOf(b) ? -1 : 1);

const nameOf = ({ tags, id }: Image): string => tags[0] ?? id;

/** Each tag once: the images that it means for other platforms stand below it, not beside it. */
export function foldPlatforms(
  images: readonly Image[],
  find: (reference: string) => Image | undefined,
): Image[] {
  return images.flatMap((image) => {
    const isOwn = (name: string) => find(name)?.id === image.id;
    const tags = image.tags.filter(isOwn);
    const { repoDigests } = image;
    const isHidden = tags.length === 0 && (image.tags.length > 0 || repoDigests.some((name) => !isOwn(name)));
    return isHidden ? [] : [{ ...image, tags }];
  });
}

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

/**
 * A pattern with `*` and `?`, which do not match a slash, on the whole familiar name or on its repository alone.
 * Errors: InvalidParameter for brackets that do not fit.
 */
function referencePattern(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^$()|{}\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  const expression = compile(`^${source}$`, pattern);
  return (name) => expression.test(name) || expression.test(repositoryOf(name));
}

function compile(source: string, pattern: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw invalidParameter(`invalid filter 'reference=${pattern}': syntax error in pattern`, { cause });
  }
}

function repositoryOf(name: string): string {
  const at = name.indexOf("@");
  if (at >= 0) return name.slice(0, at);
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
}
