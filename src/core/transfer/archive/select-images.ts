import {
  familiarReference,
  parseImageName,
  parseReference,
  repositoryName,
} from "../../../formats/reference.ts";
import type { Descriptor } from "../../content/contract.ts";
import type { Image, ImageStore } from "../../images/contract.ts";

/** An image of an archive, with the names that it gets there. */
export interface SavedImage {
  readonly image: Image;
  /** Canonical, with tag. */
  readonly tags: readonly string[];
  /** What the names stand for, where several platforms of it are saved. */
  readonly index?: Descriptor | undefined;
}

/**
 * Which images `save` writes, in the order of `names`. A name with a tag saves that tag, one without saves all
 * tags of its repository; an id or a digest saves the image without a name.
 * Errors: NotFound `No such image: …`.
 */
export function selectImages(images: ImageStore, names: readonly string[]): SavedImage[] {
  const saved = new Map<string, { image: Image; tags: Set<string> }>();
  const add = (image: Image, tag?: string) => {
    const entry = saved.get(image.id) ?? { image, tags: new Set<string>() };
    if (tag !== undefined) entry.tags.add(tag);
    saved.set(image.id, entry);
  };
  for (const name of names) {
    const tags = repositoryTags(images, name);
    for (const { image, tag } of tags) add(image, tag);
    if (tags.length > 0) continue;
    const image = images.resolve(name);
    add(
      image,
      image.tags.find((tag) => means(tag, name)),
    );
  }
  return [...saved.values()].map(({ image, tags }) => ({ image, tags: [...tags].sort() }));
}

/** Empty unless `name` is a repository that has tags here. */
function repositoryTags(images: ImageStore, name: string): { image: Image; tag: string }[] {
  const parsed = parseImageName(name);
  if (parsed.kind === "id") return [];
  const { tag, digest } = parsed.reference;
  if (tag !== undefined || digest !== undefined) return [];
  const repository = repositoryName(parsed.reference);
  const isOfRepository = (tag: string) => repositoryName(parseReference(tag)) === repository;
  return images
    .list()
    .flatMap((image) => image.tags.map((each) => ({ image, tag: each })))
    .filter(({ image, tag }) => isOfRepository(tag) && images.find(tag)?.id === image.id)
    .sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

function means(tag: string, name: string): boolean {
  const parsed = parseImageName(name);
  return (
    parsed.kind === "name" && familiarReference(parsed.reference) === familiarReference(parseReference(tag))
  );
}
