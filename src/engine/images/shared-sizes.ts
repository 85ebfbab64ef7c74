import type { Image } from "../../core/images/contract.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import type { Digest } from "../../formats/digest.ts";

/** By image: bytes of its unpacked layers that another image stands on, too. */
export function sharedSizes(
  images: readonly Image[],
  snapshots: Pick<Snapshotter, "layer">,
): ReadonlyMap<Digest, number> {
  const users = new Map<Digest, number>();
  for (const chainId of images.flatMap(({ chainIds }) => [...new Set(chainIds)])) {
    users.set(chainId, (users.get(chainId) ?? 0) + 1);
  }
  const sharedBytes = ({ chainIds }: Image) =>
    chainIds
      .filter((chainId) => (users.get(chainId) ?? 0) > 1)
      .reduce((sum, chainId) => sum + (snapshots.layer(chainId)?.sizeBytes ?? 0), 0);
  return new Map(images.map((image) => [image.id, sharedBytes(image)]));
}
