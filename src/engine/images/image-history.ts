import type { Image } from "../../core/images/contract.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { familiar } from "./familiar-names.ts";
import { imageSteps } from "./image-steps.ts";
import { unixSeconds } from "./image-summary.ts";

/** One line for each instruction, newest first. engine-api.yaml, ImageHistoryResponseItem. */
export function imageHistory(image: Image, snapshots: Pick<Snapshotter, "layer">): object[] {
  const lines = imageSteps(image.config).map(({ entry, layer }) => ({
    Id: "<missing>",
    Created: unixSeconds(entry.created),
    CreatedBy: entry.created_by ?? "",
    Tags: null as string[] | null,
    Size: layerSize(image, layer, snapshots),
    Comment: entry.comment ?? "",
  }));
  const newest = lines.at(-1);
  if (newest)
    Object.assign(newest, { Id: image.id, Tags: image.tags.length > 0 ? image.tags.map(familiar) : null });
  return lines.reverse();
}

function layerSize(image: Image, layer: number | undefined, snapshots: Pick<Snapshotter, "layer">): number {
  const chainId = layer === undefined ? undefined : image.chainIds[layer];
  return chainId === undefined ? 0 : (snapshots.layer(chainId)?.sizeBytes ?? 0);
}
