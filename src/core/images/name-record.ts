/** What a name stands for: one index or manifest, and of that every image which is on this machine. Pure. */
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import type { NamedImage, ReferenceRecord } from "./image-sidecars.ts";

/** What the name means without a platform first. */
export function imagesOfName({ image, manifest, others = [] }: ReferenceRecord): readonly NamedImage[] {
  return [{ image, manifest }, ...others];
}

/** Undefined when the name means none of the others. */
export function withoutImages(
  record: ReferenceRecord,
  ids: ReadonlySet<Digest>,
): ReferenceRecord | undefined {
  const all = imagesOfName(record);
  const left = all.filter(({ image }) => !ids.has(image));
  return left.length === all.length ? record : withImages(record, left);
}

/**
 * The name after `added` was found to be what it stands for. Images of the same index stay; those of what the name
 * stood for before do not. `rank`: what the name means without a platform has the lowest, then the newest.
 */
export function withImage(
  name: { readonly reference: string; readonly target: Descriptor; readonly createdAt: string },
  added: NamedImage,
  before: ReferenceRecord | undefined,
  rank: (image: Digest) => number,
): ReferenceRecord {
  const same = before?.target.digest === name.target.digest ? imagesOfName(before) : [];
  const all = [added, ...same.filter(({ image }) => image !== added.image)];
  const sorted = all.sort((a, b) => rank(a.image) - rank(b.image));
  return withImages(name, sorted) ?? { ...name, ...added };
}

function withImages(
  { reference, target, createdAt }: Pick<ReferenceRecord, "reference" | "target" | "createdAt">,
  [first, ...others]: readonly NamedImage[],
): ReferenceRecord | undefined {
  if (first === undefined) return undefined;
  return { reference, target, ...first, createdAt, ...(others.length > 0 ? { others } : {}) };
}
