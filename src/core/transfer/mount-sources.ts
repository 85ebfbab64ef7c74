import type { Digest } from "../../formats/digest.ts";
import { parseReference, type Reference } from "../../formats/reference.ts";
import type { Image, ImageStore } from "../images/contract.ts";

/** Repositories of one registry that are known to have blobs of an image. */
export interface MountSources {
  /** `library/busybox`; all that are named below. */
  readonly paths: readonly string[];
  pathsOf(blob: Digest): readonly string[];
}

/** Each one stands in the request for a token. */
const maxPaths = 5;

/**
 * Where in the registry of `target` blobs of `image` are: in the repositories that it, or an image on the same
 * base, was pulled from or pushed to. What is there no more costs one request, no error.
 */
export function mountSources(
  images: Pick<ImageStore, "list" | "blobs">,
  image: Image,
  target: Reference,
): MountSources {
  const paths = new Set<string>();
  const byBlob = new Map<Digest, Set<string>>();
  const related = images.list().filter((other) => other.id !== image.id && shareBase(other, image));
  for (const candidate of [image, ...related]) {
    const repositories = repositoriesOf(candidate, target).slice(0, maxPaths - paths.size);
    if (repositories.length === 0) continue;
    for (const path of repositories) {
      paths.add(path);
      for (const digest of images.blobs(candidate)) {
        byBlob.set(digest, (byBlob.get(digest) ?? new Set()).add(path));
      }
    }
  }
  return { paths: [...paths], pathsOf: (blob) => [...(byBlob.get(blob) ?? [])] };
}

const shareBase = (a: Image, b: Image): boolean =>
  a.chainIds[0] !== undefined && a.chainIds[0] === b.chainIds[0];

/** A digest name is proof that the registry had it; a tag is only a wish. */
function repositoriesOf({ repoDigests }: Image, { domain, path }: Reference): string[] {
  const names = repoDigests.map(parseReference);
  const others = names.filter((name) => name.domain === domain && name.path !== path);
  return [...new Set(others.map((name) => name.path))];
}
