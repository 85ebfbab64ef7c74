import type { Image } from "../../core/images/contract.ts";
import type { Digest } from "../../formats/digest.ts";
import { noFilters } from "../filters.ts";
import type { ImageService } from "./image-service.ts";
import { imageSummary } from "./image-summary.ts";
import { foldPlatforms, listImages } from "./list-images.ts";

/** A list whose elements never change, and its JSON, which is written once. */
export class KeptList {
  #json: string | undefined;

  constructor(readonly summaries: readonly object[]) {}

  readonly json = (): string => {
    this.#json ??= `${JSON.stringify(this.summaries)}\n`;
    return this.#json;
  };
}

interface Basis {
  readonly images: readonly Image[];
  readonly containers: ReadonlyMap<Digest, number>;
  readonly minor: number;
}

/** What `images` shows where nothing is filtered: the same list until an image, a name or a container comes or goes. */
export class ImageList {
  #kept: { readonly basis: Basis; readonly list: KeptList } | undefined;

  constructor(private readonly images: Pick<ImageService, "store" | "containerCounts">) {}

  /** Newest first, as the API's version 1.`minor` has them. */
  all(minor: number): KeptList {
    const basis = { images: this.images.store.list(), containers: this.images.containerCounts(), minor };
    if (this.#kept === undefined || !isSame(this.#kept.basis, basis)) {
      const shown = foldPlatforms(basis.images, (name) => this.images.store.find(name));
      this.#kept = { basis, list: new KeptList(summariesOf(shown, basis)) };
    }
    return this.#kept.list;
  }
}

const summariesOf = (images: readonly Image[], { containers, minor }: Basis): object[] =>
  listImages(images, noFilters, () => undefined).map((image) =>
    imageSummary(image, { minor, containers: containers.get(image.id) ?? 0, sharedBytes: undefined }),
  );

const isSame = (one: Basis, other: Basis): boolean =>
  one.images === other.images &&
  one.minor === other.minor &&
  one.containers.size === other.containers.size &&
  [...one.containers].every(([id, count]) => other.containers.get(id) === count);
